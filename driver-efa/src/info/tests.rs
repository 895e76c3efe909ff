//! A libfabric made of Rust functions, so that ownership is checked on every machine.

use core::sync::atomic::{AtomicIsize, Ordering};

use libfabric_sys::types::{
    FI_EP_RDM, FI_MSG, FI_RMA, fi_domain_attr, fi_ep_attr, fi_fabric_attr, version,
};

use super::*;

/// Lists and entries that were handed out and not yet freed, by this thread's test alone.
static ALIVE: AtomicIsize = AtomicIsize::new(0);

fn entry(next: *mut fi_info, provider: *mut c_char) -> *mut fi_info {
    ALIVE.fetch_add(1, Ordering::Relaxed);
    let null = ptr::null_mut();
    Box::into_raw(Box::new(fi_info {
        next,
        caps: FI_MSG | FI_RMA,
        mode: 0,
        addr_format: 0,
        src_addrlen: 0,
        dest_addrlen: 0,
        src_addr: null,
        dest_addr: null,
        handle: null,
        tx_attr: null,
        rx_attr: null,
        ep_attr: Box::into_raw(Box::new(fi_ep_attr {
            type_: FI_EP_RDM,
            protocol: 0,
            protocol_version: 0,
            max_msg_size: 4096,
        })),
        domain_attr: Box::into_raw(Box::new(fi_domain_attr {
            domain: null,
            name: ptr::null_mut(),
            threading: 0,
            control_progress: 0,
            data_progress: 0,
            resource_mgmt: 0,
            av_type: 0,
            mr_mode: 0,
        })),
        fabric_attr: Box::into_raw(Box::new(fi_fabric_attr {
            fabric: null,
            name: ptr::null_mut(),
            prov_name: provider,
            prov_version: version(3, 4),
            api_version: version(1, 9),
        })),
        nic: null,
    }))
}

unsafe extern "C" fn fake_version() -> u32 {
    version(1, 17)
}

unsafe extern "C" fn fake_getinfo(
    asked: u32,
    _node: *const c_char,
    _service: *const c_char,
    _flags: u64,
    hints: *const fi_info,
    info: *mut *mut fi_info,
) -> c_int {
    // SAFETY: the code under test passes entries of `fake_dupinfo` and a valid result place.
    unsafe {
        assert_eq!((*hints).mode, u64::MAX);
        assert_eq!((*(*hints).domain_attr).mr_mode, !3);
        if asked == version(9, 61) {
            return -FI_ENODATA;
        }
        if asked == version(9, 22) {
            return -22;
        }
        *info = entry(entry(ptr::null_mut(), c"second".as_ptr().cast_mut()), ptr::null_mut());
    }
    0
}

unsafe extern "C" fn fake_freeinfo(mut info: *mut fi_info) {
    while !info.is_null() {
        // SAFETY: made by `entry` from boxes, and freed once.
        unsafe {
            let entry = Box::from_raw(info);
            drop(Box::from_raw(entry.ep_attr));
            drop(Box::from_raw(entry.domain_attr));
            drop(Box::from_raw(entry.fabric_attr));
            info = entry.next;
        }
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

unsafe extern "C" fn fake_dupinfo(_info: *const fi_info) -> *mut fi_info {
    entry(ptr::null_mut(), ptr::null_mut())
}

unsafe extern "C" fn fake_strerror(_code: c_int) -> *const c_char {
    c"Invalid argument".as_ptr()
}

const FAKE: Library = Library {
    fi_version: fake_version,
    fi_getinfo: fake_getinfo,
    fi_freeinfo: fake_freeinfo,
    fi_dupinfo: fake_dupinfo,
    fi_strerror: fake_strerror,
};

#[test]
fn lists_are_read_in_order_and_freed_once() {
    assert_eq!(library_version(FAKE), Version { major: 1, minor: 17 });

    let list = InfoList::query(FAKE, Version { major: 1, minor: 9 }).unwrap();
    let providers: Vec<Provider> = list.iter().map(Info::to_provider).collect();
    assert_eq!(ALIVE.load(Ordering::Relaxed), 2, "the hints are freed, the list is not");
    drop(list);
    assert_eq!(ALIVE.load(Ordering::Relaxed), 0);
    assert_eq!(providers.len(), 2);
    assert_eq!(providers[0].name, "", "a null name is empty");
    assert_eq!(providers[1].name, "second");
    assert_eq!(providers[1].version, Version { major: 3, minor: 4 });
    assert_eq!(providers[1].max_message_bytes, 4096);
    assert!(providers[1].carries_dcquic());

    let none = InfoList::query(FAKE, Version { major: 9, minor: 61 }).unwrap();
    assert_eq!(none.iter().count(), 0);
    drop(none);

    let refused = InfoList::query(FAKE, Version { major: 9, minor: 22 }).unwrap_err();
    assert_eq!(refused, FabricError { code: 22, message: "Invalid argument".into() });
    assert_eq!(ALIVE.load(Ordering::Relaxed), 0, "hints are freed on errors too");
}
