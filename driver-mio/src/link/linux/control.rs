//! Socket options, and the control messages that travel with datagrams.
#![allow(unsafe_code, reason = "socket options and control messages exist as C structures only")]

use core::ptr;
use std::{
    net::{IpAddr, SocketAddr, SocketAddrV6},
    os::fd::RawFd,
};

use dcquic_proto::link::Ecn;

/// Memory for the control messages of one datagram; the header type sets the alignment.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union ControlBuffer {
    bytes: [u8; CONTROL_LEN],
    _align: libc::cmsghdr,
}

/// Room for a packet info of IPv6, a traffic class, a segment size and an extended error.
const CONTROL_LEN: usize = 256;

impl ControlBuffer {
    pub(super) const LEN: usize = CONTROL_LEN;

    pub(super) const fn new() -> Self {
        Self { bytes: [0; CONTROL_LEN] }
    }

    pub(super) const fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        ptr::from_mut(self).cast()
    }
}

impl core::fmt::Debug for ControlBuffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ControlBuffer")
    }
}

/// Sets an integer option; false if the system refuses.
pub(super) fn set_option(fd: RawFd, level: i32, name: i32, value: i32) -> bool {
    let len = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the pointer is to an i32 that lives through the call, and the length is its size.
    unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), len) == 0 }
}

/// Sets an option that IPv4 and IPv6 know by different names.
pub(super) fn set_ip_option(fd: RawFd, v6: bool, v4_name: i32, v6_name: i32, value: i32) -> bool {
    if v6 {
        set_option(fd, libc::IPPROTO_IPV6, v6_name, value)
    } else {
        set_option(fd, libc::IPPROTO_IP, v4_name, value)
    }
}

/// Writes control messages one behind the other.
pub(super) struct ControlWriter<'a> {
    buffer: &'a mut ControlBuffer,
    len: usize,
}

impl<'a> ControlWriter<'a> {
    pub(super) const fn new(buffer: &'a mut ControlBuffer) -> Self {
        Self { buffer, len: 0 }
    }

    /// Bytes written.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Appends a message whose data is `value`.
    pub(super) fn push<T: Copy>(&mut self, level: i32, kind: i32, value: T) {
        let data = size_of::<T>() as u32;
        // SAFETY: both only compute with the length they are given.
        let (space, total) =
            unsafe { (libc::CMSG_SPACE(data) as usize, libc::CMSG_LEN(data) as usize) };
        if self.len + space > CONTROL_LEN {
            debug_assert!(false, "the buffer has room for every message that is sent");
            return;
        }
        // SAFETY: `len` is a sum of CMSG_SPACEs, so the position is aligned for a header, and
        // `space` bytes from it lie inside the buffer. The header is written before CMSG_DATA
        // computes the place of the data behind it, which need not be aligned for T.
        unsafe {
            let header: *mut libc::cmsghdr =
                ptr::from_mut(self.buffer).cast::<u8>().add(self.len).cast();
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            (*header).cmsg_len = total as _;
            ptr::write_unaligned(libc::CMSG_DATA(header).cast::<T>(), value);
        }
        self.len += space;
    }
}

/// What the control messages of a received datagram say.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) ecn: Ecn,
    pub(super) local: Option<IpAddr>,
    pub(super) segment: Option<usize>,
}

/// Calls `visit` with level, type and data of every control message.
///
/// # Safety
/// `message` was filled by recvmsg or recvmmsg, and its control buffer is alive.
unsafe fn for_each(message: &libc::msghdr, mut visit: impl FnMut(i32, i32, &[u8])) {
    // SAFETY: the caller vouches for the control buffer. CMSG_FIRSTHDR and CMSG_NXTHDR stay inside
    // the length that the kernel set, and each message's own length covers its data.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            let len = ((*header).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            let data = core::slice::from_raw_parts(libc::CMSG_DATA(header), len);
            visit((*header).cmsg_level, (*header).cmsg_type, data);
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
}

/// The beginning of `data` as a C structure.
///
/// # Safety
/// Every pattern of bits is a value of `T`.
unsafe fn read_as<T: Copy>(data: &[u8]) -> Option<T> {
    // SAFETY: there are enough bytes, and the caller vouches that they are a value.
    (data.len() >= size_of::<T>()).then(|| unsafe { data.as_ptr().cast::<T>().read_unaligned() })
}

/// Reads the control messages that the kernel wrote for `message`.
///
/// # Safety
/// As for [`for_each`].
pub(super) unsafe fn read(message: &libc::msghdr) -> Received {
    let mut received = Received::default();
    let visit = |level, kind, data: &[u8]| match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_TOS) => {
            received.ecn = data.first().map_or(Ecn::NotEct, |bits| Ecn::from_bits(*bits));
        }
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
            // SAFETY: an integer.
            let class = unsafe { read_as::<i32>(data) };
            received.ecn = class.map_or(Ecn::NotEct, |bits| Ecn::from_bits(bits as u8));
        }
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            // SAFETY: a structure of integers.
            let info = unsafe { read_as::<libc::in_pktinfo>(data) };
            received.local = info.map(|info| IpAddr::from(info.ipi_addr.s_addr.to_ne_bytes()));
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            // SAFETY: a structure of integers.
            let info = unsafe { read_as::<libc::in6_pktinfo>(data) };
            received.local = info.map(|info| IpAddr::from(info.ipi6_addr.s6_addr));
        }
        (libc::SOL_UDP, libc::UDP_GRO) => {
            // SAFETY: an integer.
            let size = unsafe { read_as::<i32>(data) };
            received.segment = size.and_then(|size| usize::try_from(size).ok());
        }
        _ => {}
    };
    // SAFETY: the caller vouches for the message.
    unsafe { for_each(message, visit) };
    received
}

/// Whether an entry of the error queue says that its destination cannot be reached.
///
/// # Safety
/// As for [`for_each`].
pub(super) unsafe fn is_unreachable(message: &libc::msghdr) -> bool {
    let mut unreachable = false;
    let visit = |level, kind, data: &[u8]| {
        if let (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) =
            (level, kind)
        {
            // SAFETY: a structure of integers.
            if let Some(error) = unsafe { read_as::<libc::sock_extended_err>(data) } {
                let errno = error.ee_errno as i32;
                unreachable |= errno != 0 && errno != libc::EMSGSIZE;
            }
        }
    };
    // SAFETY: the caller vouches for the message.
    unsafe { for_each(message, visit) };
    unreachable
}

/// A socket address as the kernel wants it.
pub(super) fn to_raw(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    let address = socket2::SockAddr::from(address);
    let mut storage = empty_storage();
    let from = address.as_ptr().cast::<u8>();
    // SAFETY: a sockaddr_storage has room for every address, and `len` bytes are initialised.
    unsafe {
        ptr::copy_nonoverlapping(from, (&raw mut storage).cast::<u8>(), address.len() as usize);
    }
    (storage, address.len())
}

/// A socket address as the kernel gave it.
pub(super) fn from_raw(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage, which is large enough, holds this type.
            let raw = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in>() };
            let octets = raw.sin_addr.s_addr.to_ne_bytes();
            Some(SocketAddr::from((octets, u16::from_be(raw.sin_port))))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that the storage, which is large enough, holds this type.
            let raw = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in6>() };
            let port = u16::from_be(raw.sin6_port);
            let ip = raw.sin6_addr.s6_addr.into();
            Some(SocketAddrV6::new(ip, port, raw.sin6_flowinfo, raw.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// Zeroed memory for an address.
pub(super) const fn empty_storage() -> libc::sockaddr_storage {
    // SAFETY: the type is made of integers, for which zero is a value.
    unsafe { core::mem::zeroed() }
}

/// A zeroed message header.
pub(super) const fn empty_message() -> libc::msghdr {
    // SAFETY: the type is made of integers and pointers, for which zero is a value.
    unsafe { core::mem::zeroed() }
}
