//! Downloads or uploads large files over one connection, one after the other, and measures the requests per second. The
//! tool `wrk` cannot measure large files, because it counts only the requests that are completed in a round.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, io};

use clap::Args;

use super::{LOAD_CORE, RequestCount, Settings};
use crate::cases::Case;
use crate::{files, keys};

/// Number of bytes of a file that are written or read at a time.
const CHUNK_SIZE: usize = 1 << 20;

/// The options of the command `load`.
#[derive(Args)]
pub struct LoadOptions {
    /// Address of the server
    address: SocketAddr,
    /// Upload files instead of downloading them
    #[arg(long = "up")]
    is_upload: bool,
    /// Size of a file in bytes
    #[arg(long, default_value_t = 256 << 20)]
    size: usize,
    /// Duration in seconds; the last request is completed
    #[arg(long, default_value_t = 1)]
    seconds: u32,
}

/// Runs a round of the benchmark in a separate process, and returns the number of requests, in total and per second.
pub fn run_round(case: Case, address: SocketAddr, settings: &Settings) -> Result<RequestCount, Box<dyn Error>> {
    let output = load_command(address, case == Case::Up256M, settings.seconds)?.output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let parse = |text: &str| {
        let (total, per_second) = text.trim().split_once(' ')?;
        Some(RequestCount { total: total.parse().ok()?, per_second: per_second.parse().ok()? })
    };
    let failed = || format!("{}: {stdout}{}", case.title(), String::from_utf8_lossy(&output.stderr)).into();
    parse(&stdout).ok_or_else(failed)
}

/// Returns a command that runs `load` on its processor core.
pub fn load_command(address: SocketAddr, is_upload: bool, seconds: u32) -> Result<Command, Box<dyn Error>> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &LOAD_CORE.to_string()]).arg(env::current_exe()?);
    command.args(["load", &address.to_string(), "--seconds", &seconds.to_string()]);
    if is_upload {
        command.arg("--up");
    }
    Ok(command)
}

/// Sends requests until the time is over, and prints the number of requests, in total and per second.
pub fn run_load(load: &LoadOptions) -> Result<(), Box<dyn Error>> {
    let mut stream = BufReader::with_capacity(CHUNK_SIZE, TcpStream::connect(load.address)?);
    stream.get_ref().set_nodelay(true)?;
    let chunk = files::LINE.repeat(CHUNK_SIZE / files::LINE.len());
    let begun = Instant::now();
    let mut count = 0;
    while count == 0 || begun.elapsed() < Duration::from_secs(load.seconds.into()) {
        let expected = if load.is_upload {
            send_upload(load, stream.get_mut(), &chunk)?
        } else {
            send_download(load, stream.get_mut())?
        };
        receive_response(&mut stream, expected)?;
        count += 1;
    }
    println!("{count} {:.4}", f64::from(count) / begun.elapsed().as_secs_f64());
    Ok(())
}

/// The expected response: its status between two spaces, and the length of its body.
type ExpectedResponse = (&'static str, usize);

fn send_download(load: &LoadOptions, stream: &mut TcpStream) -> io::Result<ExpectedResponse> {
    let (name, token) = (files::file_name(load.size), keys::bearer_token(0));
    let head = format!(
        "GET {}?filename={name} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n",
        files::ENDPOINT_PATH
    );
    stream.write_all(head.as_bytes())?;
    Ok((" 200 ", load.size))
}

fn send_upload(load: &LoadOptions, stream: &mut TcpStream, chunk: &[u8]) -> io::Result<ExpectedResponse> {
    let (before, after) = files::multipart_body_parts("public/up.txt");
    let length = before.len() + load.size + after.len();
    let (media_type, token) = (files::media_type(), keys::bearer_token(0));
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-type: {media_type}\r\n\
         content-length: {length}\r\n\r\n{before}",
        files::ENDPOINT_PATH
    );
    stream.write_all(head.as_bytes())?;
    let mut remaining = load.size;
    while remaining > 0 {
        let length = remaining.min(chunk.len());
        stream.write_all(&chunk[..length])?;
        remaining -= length;
    }
    stream.write_all(after.as_bytes())?;
    Ok((" 204 ", 0))
}

fn receive_response(
    stream: &mut BufReader<TcpStream>,
    (status, length): ExpectedResponse,
) -> Result<(), Box<dyn Error>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    if !line.contains(status) {
        return Err(format!("the server responds with {line:?} instead of{status}").into());
    }
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err("the server closed the connection".into());
        }
    }
    let received = io::copy(&mut stream.take(length as u64), &mut io::sink())?;
    if received == length as u64 { Ok(()) } else { Err("the response is incomplete".into()) }
}
