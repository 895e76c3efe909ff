//! Structures, constants and function types of `rdma/fabric.h`.
#![allow(non_camel_case_types, reason = "the names are those of the C headers")]

use core::ffi::{c_char, c_int, c_void};

/// Joins the parts of an interface version as `FI_VERSION` does.
pub const fn version(major: u16, minor: u16) -> u32 {
    ((major as u32) << 16) | minor as u32
}

/// Messages: send and receive.
pub const FI_MSG: u64 = 1 << 1;
/// Remote memory access.
pub const FI_RMA: u64 = 1 << 2;
/// With [`FI_RMA`]: can start reads of remote memory.
pub const FI_READ: u64 = 1 << 8;
/// With [`FI_RMA`]: can start writes of remote memory.
pub const FI_WRITE: u64 = 1 << 9;
/// With [`FI_MSG`]: can receive.
pub const FI_RECV: u64 = 1 << 10;
/// With [`FI_MSG`]: can send.
pub const FI_SEND: u64 = 1 << 11;
/// With [`FI_RMA`]: local memory can be read by peers.
pub const FI_REMOTE_READ: u64 = 1 << 12;
/// With [`FI_RMA`]: local memory can be written by peers.
pub const FI_REMOTE_WRITE: u64 = 1 << 13;

/// Endpoint type not given.
pub const FI_EP_UNSPEC: u32 = 0;
/// Connected, reliable endpoint.
pub const FI_EP_MSG: u32 = 1;
/// Unconnected, unreliable endpoint.
pub const FI_EP_DGRAM: u32 = 2;
/// Unconnected, reliable endpoint.
pub const FI_EP_RDM: u32 = 3;

/// Memory registration of the interface before 1.5, exclusive of every other mode bit.
pub const FI_MR_BASIC: c_int = 1 << 0;
/// The other one of the two modes before 1.5.
pub const FI_MR_SCALABLE: c_int = 1 << 1;

/// "No data available": nothing on this machine answers the request.
pub const FI_ENODATA: c_int = 61;

/// One way to reach a fabric: what a provider offers, or what a caller asks for.
#[repr(C)]
#[derive(Debug)]
pub struct fi_info {
    /// The next of the list, or null.
    pub next: *mut Self,
    /// Capability bits, such as [`FI_MSG`].
    pub caps: u64,
    /// Obligations of the application.
    pub mode: u64,
    /// Format of the addresses below.
    pub addr_format: u32,
    /// Bytes at `src_addr`.
    pub src_addrlen: usize,
    /// Bytes at `dest_addr`.
    pub dest_addrlen: usize,
    /// Local address.
    pub src_addr: *mut c_void,
    /// Remote address.
    pub dest_addr: *mut c_void,
    /// An object of the provider, for connection requests.
    pub handle: *mut c_void,
    /// Transmit attributes; not declared here.
    pub tx_attr: *mut c_void,
    /// Receive attributes; not declared here.
    pub rx_attr: *mut c_void,
    /// Attributes of an endpoint.
    pub ep_attr: *mut fi_ep_attr,
    /// Attributes of a domain.
    pub domain_attr: *mut fi_domain_attr,
    /// Attributes of the fabric.
    pub fabric_attr: *mut fi_fabric_attr,
    /// The network card; not declared here.
    pub nic: *mut c_void,
}

/// Attributes of an endpoint; a prefix.
#[repr(C)]
#[derive(Debug)]
pub struct fi_ep_attr {
    /// One of the `FI_EP_*` constants. An `enum` in C, read as an integer because a newer library
    /// may know more kinds.
    pub type_: u32,
    /// Wire protocol.
    pub protocol: u32,
    /// Version of that protocol.
    pub protocol_version: u32,
    /// Largest message in bytes.
    pub max_msg_size: usize,
}

/// Attributes of a domain, usually one network card; a prefix.
#[repr(C)]
#[derive(Debug)]
pub struct fi_domain_attr {
    /// The opened domain, if any.
    pub domain: *mut c_void,
    /// Name of the domain.
    pub name: *mut c_char,
    /// Threading model.
    pub threading: u32,
    /// Who drives control operations.
    pub control_progress: u32,
    /// Who drives data transfers.
    pub data_progress: u32,
    /// Who guards against overrun of queues.
    pub resource_mgmt: u32,
    /// Kind of address vector.
    pub av_type: u32,
    /// Memory registration mode bits.
    pub mr_mode: c_int,
}

/// Attributes of a fabric; a prefix.
#[repr(C)]
#[derive(Debug)]
pub struct fi_fabric_attr {
    /// The opened fabric, if any.
    pub fabric: *mut c_void,
    /// Name of the fabric.
    pub name: *mut c_char,
    /// Name of the provider.
    pub prov_name: *mut c_char,
    /// Version of the provider, joined as by [`version`].
    pub prov_version: u32,
    /// Interface version that the provider was asked for.
    pub api_version: u32,
}

/// `fi_version`: the interface version of the library.
pub type FiVersion = unsafe extern "C" fn() -> u32;

/// `fi_getinfo`: lists what matches `hints`; zero or a negative error number.
pub type FiGetinfo = unsafe extern "C" fn(
    version: u32,
    node: *const c_char,
    service: *const c_char,
    flags: u64,
    hints: *const fi_info,
    info: *mut *mut fi_info,
) -> c_int;

/// `fi_freeinfo`: frees a whole list with everything it points to.
pub type FiFreeinfo = unsafe extern "C" fn(info: *mut fi_info);

/// `fi_dupinfo`: copies one entry; of null, makes an empty one (`fi_allocinfo` in C).
pub type FiDupinfo = unsafe extern "C" fn(info: *const fi_info) -> *mut fi_info;

/// `fi_strerror`: describes a positive error number.
pub type FiStrerror = unsafe extern "C" fn(errnum: c_int) -> *const c_char;
