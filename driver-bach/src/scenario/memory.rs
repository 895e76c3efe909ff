//! The memory of this process.

use std::fs;

/// Forgets how much memory was used so far, where the system can.
pub(super) fn reset_peak() {
    // where this is not possible, the peak is that of the process
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that was resident, in bytes.
pub(super) fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}
