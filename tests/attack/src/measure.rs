//! Measures a server process: processor time, memory and open files. The figures are those of the directory `/proc`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Result;

/// Returns the processor time that a process has used since its start, in seconds (proc_pid_stat(5)).
pub fn processor_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program is in parentheses, and may contain spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')').ok_or("/proc has no statistics of the process")?;
    let mut ticks = 0;
    for field in after_name.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Returns the memory of a process in MiB.
pub fn resident_mebibytes(process: u32) -> Result<f64> {
    status_mebibytes(process, "VmRSS:")
}

/// Returns the peak memory of a process in MiB since the last call of [`reset_peak`].
pub fn peak_mebibytes(process: u32) -> Result<f64> {
    status_mebibytes(process, "VmHWM:")
}

/// Resets the peak memory of a process (proc_pid_clear_refs(5)).
pub fn reset_peak(process: u32) -> Result<()> {
    Ok(fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

fn status_mebibytes(process: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    let kibibytes: f64 = value.ok_or_else(|| format!("/proc has no value of {field}"))?.trim().parse()?;
    Ok(kibibytes / 1024.0)
}

/// Returns the number of files, including connections, that a process has open.
pub fn open_files(process: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{process}/fd"))?.count())
}

/// Returns the addresses of the clients whose connections the process at `server` has open (proc_net(5)). A connection
/// counts as long as the process has not closed its socket, whether or not the client has read everything.
pub fn clients_of(server: SocketAddr) -> Result<Vec<SocketAddr>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let mut clients = Vec::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(local), Some(remote), Some(inode)) = (fields.get(1), fields.get(2), fields.get(9)) else { continue };
        let (Some(local), Some(remote)) = (parse_address(local), parse_address(remote)) else { continue };
        // A socket that the process has closed has no inode; that of a listener has no remote port.
        if local == server && *inode != "0" && remote.port() != 0 {
            clients.push(remote);
        }
    }
    Ok(clients)
}

/// Parses an address such as `0100007F:1F90`.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.to_le_bytes());
    Some((address, u16::from_str_radix(port, 16).ok()?).into())
}

/// The processor core of the healthy client.
pub const HEALTHY_CORE: usize = 0;
/// The processor core of the attacking client, which so leaves the other core to the server.
pub const ATTACK_CORE: usize = 1;

/// Makes the current thread run on one processor core only. If the machine has only one core, nothing happens.
pub fn pin_thread(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    // Failing is no reason to stop: the measurement is then only less exact.
    let _ = sched_setaffinity(None, &cores);
}
