//! libfabric's list of offers, owned, and read in place.
#![allow(unsafe_code, reason = "calls libfabric and follows its pointers; the rest is safe")]

use core::ffi::{CStr, c_char, c_int};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use libfabric_sys::Library;
use libfabric_sys::types::{FI_ENODATA, FI_MR_BASIC, FI_MR_SCALABLE, fi_info};

use crate::provider::{Capabilities, EndpointType, Provider, Version};

/// An error that libfabric reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FabricError {
    /// Positive error number.
    pub(crate) code: c_int,
    /// libfabric's words for it.
    pub(crate) message: String,
}

/// The version of a loaded libfabric.
pub(crate) fn library_version(library: Library) -> Version {
    // SAFETY: the function has no arguments and no preconditions.
    Version::from_raw(unsafe { (library.fi_version)() })
}

/// A list that libfabric allocated; freed on drop.
#[derive(Debug)]
pub(crate) struct InfoList {
    library: Library,
    /// The first entry, null for an empty list. Owned: nothing else frees or changes the list.
    head: *mut fi_info,
}

impl InfoList {
    /// Asks for every offer that understands interface `version`, whatever it obliges us to.
    ///
    /// A machine without any is an empty list.
    pub(crate) fn query(library: Library, version: Version) -> Result<Self, FabricError> {
        let hints = Self::accept_all(library)?;
        let mut head = ptr::null_mut();
        // SAFETY: `node` and `service` may be null; `hints` is a valid entry that outlives the
        // call, which only reads it; `head` is a valid place for the result.
        let result = unsafe {
            (library.fi_getinfo)(
                version.to_raw(),
                ptr::null(),
                ptr::null(),
                0,
                hints.head,
                &raw mut head,
            )
        };
        match result.saturating_neg() {
            // On success the list at `head` is ours.
            0 => Ok(Self { library, head }),
            FI_ENODATA => Ok(Self { library, head: ptr::null_mut() }),
            code => Err(fabric_error(library, code)),
        }
    }

    /// An entry to ask with, willing to take on every mode, so that nothing is left out.
    fn accept_all(library: Library) -> Result<Self, FabricError> {
        // SAFETY: of null, the function makes an empty entry with all its attributes allocated.
        let head = unsafe { (library.fi_dupinfo)(ptr::null()) };
        if head.is_null() {
            return Err(FabricError { code: 12, message: "out of memory".into() });
        }
        let hints = Self { library, head };
        // SAFETY: `head` is non-null, and libfabric allocated it as an `fi_info` at least as large
        // as the declaration here; nobody else knows the pointer yet.
        let entry = unsafe { &mut *head };
        entry.mode = u64::MAX;
        // SAFETY: null, or allocated by libfabric as an `fi_domain_attr`, of which the declaration
        // here is a prefix, and reachable only through `entry`, which is borrowed exclusively.
        if let Some(domain) = unsafe { entry.domain_attr.as_mut() } {
            // The two modes from before 1.5 exclude all others.
            domain.mr_mode = !(FI_MR_BASIC | FI_MR_SCALABLE);
        }
        Ok(hints)
    }

    /// The entries, in libfabric's order of preference.
    pub(crate) fn iter(&self) -> Iter<'_> {
        Iter { next: NonNull::new(self.head), list: PhantomData }
    }
}

impl Drop for InfoList {
    fn drop(&mut self) {
        if !self.head.is_null() {
            // SAFETY: `head` came from `fi_getinfo` or `fi_dupinfo` of the same library and is
            // freed once; no `Info` is left, because each borrows the list.
            unsafe { (self.library.fi_freeinfo)(self.head) };
        }
    }
}

/// Walks an [`InfoList`].
#[derive(Debug)]
pub(crate) struct Iter<'a> {
    next: Option<NonNull<fi_info>>,
    list: PhantomData<&'a InfoList>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Info<'a>;

    fn next(&mut self) -> Option<Info<'a>> {
        let current = self.next?;
        // SAFETY: an entry of a list that stays allocated and unchanged for 'a, since the borrow
        // of the `InfoList` keeps it from being dropped and nothing changes it after creation.
        let entry: &'a fi_info = unsafe { current.as_ref() };
        self.next = NonNull::new(entry.next);
        Some(Info { entry })
    }
}

/// One entry of an [`InfoList`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info<'a> {
    entry: &'a fi_info,
}

impl Info<'_> {
    /// Copies what the application wants to know.
    pub(crate) fn to_provider(self) -> Provider {
        // SAFETY: null, or a structure that libfabric allocated, that begins with the declaration
        // here, and that lives unchanged as long as the entry, which is borrowed.
        let (fabric, domain, endpoint) = unsafe {
            (
                self.entry.fabric_attr.as_ref(),
                self.entry.domain_attr.as_ref(),
                self.entry.ep_attr.as_ref(),
            )
        };
        let text = |text: Option<*mut c_char>| {
            // SAFETY: the names in these structures are null or null-terminated strings that live
            // as long as the structures.
            text.map_or_else(String::new, |text| unsafe { owned_text(text) })
        };
        Provider {
            name: text(fabric.map(|attr| attr.prov_name)),
            fabric: text(fabric.map(|attr| attr.name)),
            domain: text(domain.map(|attr| attr.name)),
            version: Version::from_raw(fabric.map_or(0, |attr| attr.prov_version)),
            endpoint_type: EndpointType::from_raw(endpoint.map_or(0, |attr| attr.type_)),
            capabilities: Capabilities::from_raw(self.entry.caps),
            max_message_bytes: endpoint.map_or(0, |attr| attr.max_msg_size),
        }
    }
}

fn fabric_error(library: Library, code: c_int) -> FabricError {
    // SAFETY: the function accepts any number; the result is null or a null-terminated string
    // that stays unchanged at least until the next call on this thread, after the copy.
    let message = unsafe { owned_text((library.fi_strerror)(code)) };
    FabricError { code, message }
}

/// Copies a C string; of null, makes an empty one.
///
/// # Safety
///
/// `text` must be null, or point to a null-terminated string that nobody changes meanwhile.
unsafe fn owned_text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
