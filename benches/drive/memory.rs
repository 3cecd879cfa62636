//! Measures the memory of the rulebook server during downloads and uploads of large files.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use super::load;
use super::results::Results;

/// The goal for one file: the maximum memory in MiB, in addition to the memory of the idle server.
const ONE_FILE_GOAL: f64 = 16.0;
/// The goal for several files: their number, and the maximum additional memory in MiB.
const CONCURRENT_FILES_GOAL: (usize, f64) = (16, 64.0);

/// Downloads or uploads files of 256 MiB: first one, then several at the same time. Adds the peak memory of the server
/// process to the results.
pub fn measure_memory(
    process: u32,
    address: SocketAddr,
    is_upload: bool,
    results: &mut Results,
) -> Result<(), Box<dyn Error>> {
    let idle = read_mebibytes(process, "VmRSS:")?;
    let direction = if is_upload { "uploads" } else { "downloads" };
    results.add_text(&format!("\nMemory of rulebook with files of 256 MiB; {idle:.1} MiB when idle:\n\n"));
    for (count, goal) in [(1, ONE_FILE_GOAL), CONCURRENT_FILES_GOAL] {
        // This resets the peak memory, which the kernel counts for the process (see proc_pid_clear_refs(5)).
        fs::write(format!("/proc/{process}/clear_refs"), "5")?;
        let loads = (0..count).map(|_| Ok(load::load_command(address, is_upload, 0)?.stdout(Stdio::null()).spawn()?));
        for mut load in loads.collect::<Result<Vec<_>, Box<dyn Error>>>()? {
            if !load.wait()?.success() {
                return Err(format!("{count} {direction}: a request failed").into());
            }
        }
        let over = read_mebibytes(process, "VmHWM:")? - idle;
        let measured = format!("- {count} {direction}: at most {over:.1} MiB more; aim: below {goal:.0} MiB");
        results.add_measured(&measured, over < goal);
    }
    Ok(())
}

fn read_mebibytes(process: u32, field: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    let kibibytes: f64 = value.ok_or_else(|| format!("/proc has no value of {field}"))?.trim().parse()?;
    Ok(kibibytes / 1024.0)
}
