//! The memory of a process, as Linux counts it.
//!
//! The kernel counts memory for each processor, and adds these counts with a delay. So each value is approximate, and
//! even a maximum can become a little smaller: subtract with `saturating_sub`.

/// Returns how many bytes of a process are in memory now.
pub fn resident_bytes(process: u32) -> u64 {
    bytes(process, "VmRSS:")
}

/// Returns the largest number of bytes of a process that were in memory at the same time.
pub fn peak_bytes(process: u32) -> u64 {
    bytes(process, "VmHWM:")
}

fn bytes(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    value.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}
