//! Measures the memory of the rulebook server during downloads and uploads of large files.

use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::Stdio;

use super::load;
use super::results::Results;
use super::server::Server;
use crate::kinds::{FileSize, LargeDownload};

/// The goal for one file: the maximum memory in MiB, in addition to the memory of the idle server.
const ONE_FILE_GOAL: f64 = 16.0;
/// The goal for several files: their number, and the maximum additional memory in MiB.
const CONCURRENT_FILES_GOAL: (usize, f64) = (16, 64.0);
/// The number of bytes that are read at a time.
const BUFFER_SIZE: usize = 256 << 10;

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

/// Downloads a large file through a handler in the definition. Adds the peak memory of the server process to the
/// results.
pub fn measure_download(
    server: &Server,
    download: &LargeDownload,
    results: &mut Results,
) -> Result<(), Box<dyn Error>> {
    let process = server.process_id();
    let idle = read_mebibytes(process, "VmRSS:")?;
    fs::write(format!("/proc/{process}/clear_refs"), "5")?;
    let mut response = ureq::get(format!("http://{}{}", server.address, download.target)).call()?;
    let received = read_body(response.body_mut().as_reader())?;
    let received = match download.size {
        FileSize::Bytes(_) => FileSize::Bytes(received.bytes),
        FileSize::Lines(_) => FileSize::Lines(received.lines),
    };
    if received != download.size {
        return Err(format!("{}: received {received:?} instead of {:?}", download.title, download.size).into());
    }
    let over = read_mebibytes(process, "VmHWM:")? - idle;
    let measured = format!(
        "\nMemory of rulebook, {}: at most {over:.1} MiB more than {idle:.1} MiB; aim: below {ONE_FILE_GOAL:.0} MiB",
        download.title
    );
    results.add_measured(&measured, over < ONE_FILE_GOAL);
    Ok(())
}

/// The size of a response.
struct Received {
    bytes: u64,
    lines: u64,
}

fn read_body(mut body: impl Read) -> io::Result<Received> {
    let mut received = Received { bytes: 0, lines: 0 };
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        let length = body.read(&mut buffer)?;
        if length == 0 {
            return Ok(received);
        }
        received.bytes += length as u64;
        received.lines += buffer[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

fn read_mebibytes(process: u32, field: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    let kibibytes: f64 = value.ok_or_else(|| format!("/proc has no value of {field}"))?.trim().parse()?;
    Ok(kibibytes / 1024.0)
}
