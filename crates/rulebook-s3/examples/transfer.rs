//! Measures how fast a file is stored in a bucket and read from it, and how much memory this takes:
//!
//!   cargo run --release -p rulebook-s3 --example transfer -- s3://BUCKET/PREFIX MEBIBYTES
//!
//! The output is a line of JSON. `scripts/s3-speed` compares the figures with those of boto3.

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use futures_util::TryStreamExt;
use rulebook::Content;
use rulebook::store::{FileName, Precondition, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, mebibytes] = arguments.as_slice() else { return Err("usage: transfer URL MEBIBYTES".into()) };
    let size = mebibytes.parse::<usize>()? << 20;
    let store = Store::with_engine(rulebook_s3::open_url(url)?)?;
    let name = FileName::parse("transfer")?;
    let piece: Vec<u8> = (0..256 << 10).map(|index: usize| (index * 31 % 251) as u8).collect();
    let memory = resident_memory()?;
    let mut peak = memory;

    let start = Instant::now();
    let mut writer = store.writer(u64::MAX)?;
    for number in 0..size / piece.len() {
        writer.write(&piece)?;
        if number % 64 == 0 {
            peak = peak.max(resident_memory()?);
        }
    }
    store.publish(writer.finish()?, &name, &Precondition::default())?;
    let upload = start.elapsed();
    peak = peak.max(resident_memory()?);

    let start = Instant::now();
    let Content::Ranged(content) = store.read(&name)?.content else { return Err("the file is on the disk".into()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let read = runtime.block_on(async {
        let mut stream = content.stream(0..content.length());
        let (mut read, mut pieces) = (0, 0_u32);
        while let Some(piece) = stream.try_next().await? {
            read += piece.len();
            pieces += 1;
            if pieces.is_multiple_of(256) {
                peak = peak.max(resident_memory()?);
            }
        }
        Ok::<_, Box<dyn Error>>(read)
    })?;
    let download = start.elapsed();
    if read != size {
        return Err(format!("{read} of {size} bytes have been read").into());
    }
    let speed = |time: std::time::Duration| mebibytes.parse::<f64>().unwrap_or_default() / time.as_secs_f64();
    let (upload, download) = (speed(upload), speed(download));
    let growth = (peak.saturating_sub(memory) >> 10) as f64 / 1024.0;
    writeln!(std::io::stdout(), "{{\"upload\":{upload:.1},\"download\":{download:.1},\"memory\":{growth:.1}}}")?;
    Ok(())
}

/// Returns the memory of this process in bytes, as Linux counts it (`VmRSS` in `/proc/self/status`); 0 elsewhere.
fn resident_memory() -> Result<u64, Box<dyn Error>> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return Ok(0) };
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).and_then(|rest| rest.split_whitespace().next());
    Ok(kib.unwrap_or("0").parse::<u64>()? << 10)
}
