//! A load of large files over one connection, one request after the other. `wrk` cannot measure these, because it
//! counts complete requests in a round.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, io};

use clap::Args;

use super::{LOAD_CORE, Settings};
use crate::cases::Case;
use crate::{files, keys};

/// Number of bytes that are written or read at a time.
const CHUNK: usize = 1 << 20;

/// The options of a load.
#[derive(Args)]
pub struct Load {
    /// Address of the server
    address: SocketAddr,
    /// Upload files instead of downloading them
    #[arg(long)]
    up: bool,
    /// Size of a file in bytes
    #[arg(long, default_value_t = 256 << 20)]
    size: usize,
    /// Duration in seconds; the last request is completed
    #[arg(long, default_value_t = 1)]
    seconds: u32,
}

/// Runs a round in its own process and returns the requests per second.
pub fn round(case: Case, address: SocketAddr, settings: &Settings) -> Result<f64, Box<dyn Error>> {
    let output = command(address, case == Case::Up256M, settings.seconds)?.output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let number = stdout.trim().parse();
    number.map_err(|_| format!("{}: {stdout}{}", case.title(), String::from_utf8_lossy(&output.stderr)).into())
}

/// Returns the command that generates the load.
pub fn command(address: SocketAddr, up: bool, seconds: u32) -> Result<Command, Box<dyn Error>> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &LOAD_CORE.to_string()]).arg(env::current_exe()?);
    command.args(["load", &address.to_string(), "--seconds", &seconds.to_string()]);
    if up {
        command.arg("--up");
    }
    Ok(command)
}

/// Generates the load and prints the number of requests per second.
pub fn load(load: &Load) -> Result<(), Box<dyn Error>> {
    let mut stream = BufReader::with_capacity(CHUNK, TcpStream::connect(load.address)?);
    stream.get_ref().set_nodelay(true)?;
    let chunk = files::LINE.repeat(CHUNK / files::LINE.len());
    let begun = Instant::now();
    let mut count = 0;
    while count == 0 || begun.elapsed() < Duration::from_secs(load.seconds.into()) {
        let expected =
            if load.up { send_upload(load, stream.get_mut(), &chunk)? } else { send_download(load, stream.get_mut())? };
        receive(&mut stream, expected)?;
        count += 1;
    }
    println!("{:.4}", f64::from(count) / begun.elapsed().as_secs_f64());
    Ok(())
}

/// The expected status and length of a response.
type Expected = (&'static str, usize);

fn send_download(load: &Load, stream: &mut TcpStream) -> io::Result<Expected> {
    let (name, token) = (files::name(load.size), keys::token(0));
    let head =
        format!("GET {}?filename={name} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n", files::PATH);
    stream.write_all(head.as_bytes())?;
    Ok((" 200 ", load.size))
}

fn send_upload(load: &Load, stream: &mut TcpStream, chunk: &[u8]) -> io::Result<Expected> {
    let (before, after) = files::body_parts("public/up.txt");
    let length = before.len() + load.size + after.len();
    let (media_type, token) = (files::media_type(), keys::token(0));
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-type: {media_type}\r\n\
         content-length: {length}\r\n\r\n{before}",
        files::PATH
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

fn receive(stream: &mut BufReader<TcpStream>, (status, length): Expected) -> Result<(), Box<dyn Error>> {
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
