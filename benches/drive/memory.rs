//! The memory of rulebook during downloads and uploads of large files.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use super::load;

/// Maximum memory in MiB, in addition to that of an idle server, for one file.
const ONE: f64 = 16.0;
/// A number of concurrent files, and the maximum additional memory in MiB.
const MANY: (usize, f64) = (16, 64.0);

/// Downloads or uploads files of 256 MiB, one and several at a time, and returns a text with the peak memory of the
/// process.
pub fn measure(process: u32, address: SocketAddr, up: bool) -> Result<String, Box<dyn Error>> {
    let idle = mebibytes(process, "VmRSS:")?;
    let direction = if up { "uploads" } else { "downloads" };
    let mut text = format!("\nMemory of rulebook with files of 256 MiB; {idle:.1} MiB when idle:\n\n");
    for (count, aim) in [(1, ONE), MANY] {
        // Resets the peak memory (proc_pid_clear_refs(5)).
        fs::write(format!("/proc/{process}/clear_refs"), "5")?;
        let loads = (0..count).map(|_| Ok(load::command(address, up, 0)?.stdout(Stdio::null()).spawn()?));
        for mut load in loads.collect::<Result<Vec<_>, Box<dyn Error>>>()? {
            if !load.wait()?.success() {
                return Err(format!("{count} {direction}: a request failed").into());
            }
        }
        let over = mebibytes(process, "VmHWM:")? - idle;
        let reached = if over < aim { "reached" } else { "missed" };
        writeln!(text, "- {count} {direction}: at most {over:.1} MiB more; aim: below {aim:.0} MiB, {reached}")?;
    }
    Ok(text)
}

fn mebibytes(process: u32, field: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    let kibibytes: f64 = value.ok_or_else(|| format!("/proc has no value of {field}"))?.trim().parse()?;
    Ok(kibibytes / 1024.0)
}
