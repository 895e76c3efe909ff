//! Probing this machine, with and without a libfabric.
#![allow(unsafe_code, reason = "names libraries to load")]

use dcquic_efa::{ProbeError, probe, probe_library};

#[test]
fn missing_library_says_what_to_install() {
    // SAFETY: the file does not exist.
    let error = unsafe { probe_library("no-such-directory/libfabric.so.1".as_ref()) }.unwrap_err();
    assert!(matches!(error, ProbeError::LibraryNotFound(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with("libfabric not found: cannot load no-such-directory/libfabric.so.1: "),
        "{text}"
    );
    assert!(text.contains("install the package libfabric1"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn library_without_the_functions_is_unusable() {
    // SAFETY: the C library is loaded already, and exports nothing under libfabric's names.
    let error = unsafe { probe_library("libc.so.6".as_ref()) }.unwrap_err();
    match error {
        ProbeError::LibraryUnusable(_) => assert!(error.to_string().contains("fi_version")),
        // A C library under another name.
        ProbeError::LibraryNotFound(_) => println!("SKIPPED: no libc.so.6: {error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn providers_of_this_machine_are_listed() {
    let providers = match probe() {
        Ok(providers) => providers,
        Err(ProbeError::LibraryNotFound(reason)) => {
            println!("SKIPPED: needs libfabric: {reason}");
            return;
        }
        Err(other) => panic!("{other}"),
    };
    for provider in &providers {
        assert!(!provider.name.is_empty(), "{provider:?}");
        assert!(!provider.fabric.is_empty(), "{provider:?}");
    }
    // Every build of libfabric brings a provider over TCP, and that one works on loopback.
    assert!(providers.iter().any(|provider| provider.name.contains("tcp")), "{providers:?}");
}
