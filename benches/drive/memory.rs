//! How much memory rulebook takes while large files come and go.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use super::load;

/// How many mebibytes over idle one file may take, and so many at once.
const ONE: f64 = 16.0;
const MANY: (usize, f64) = (16, 64.0);

/// Asks for files of 256 MiB, or sends them, one and many at once, and says how much memory the process took at most.
pub fn measure(process: u32, address: SocketAddr, up: bool) -> Result<String, Box<dyn Error>> {
    let idle = mebibytes(process, "VmRSS:")?;
    let way = if up { "up" } else { "down" };
    let mut text = format!("\nMemory of rulebook, {idle:.1} MiB before, with files of 256 MiB:\n\n");
    for (count, aim) in [(1, ONE), MANY] {
        // The greatest size counts from now on (proc_pid_clear_refs(5)).
        fs::write(format!("/proc/{process}/clear_refs"), "5")?;
        let loads = (0..count).map(|_| Ok(load::command(address, up, 0)?.stdout(Stdio::null()).spawn()?));
        for mut load in loads.collect::<Result<Vec<_>, Box<dyn Error>>>()? {
            if !load.wait()?.success() {
                return Err(format!("{count} {way}: a request failed").into());
            }
        }
        let over = mebibytes(process, "VmHWM:")? - idle;
        let reached = if over < aim { "reached" } else { "missed" };
        writeln!(text, "- {count} {way}: {over:.1} MiB more at most; aim: below {aim:.0} MiB, {reached}")?;
    }
    Ok(text)
}

fn mebibytes(process: u32, field: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    let kibibytes: f64 = value.ok_or_else(|| format!("the system does not say {field}"))?.trim().parse()?;
    Ok(kibibytes / 1024.0)
}
