//! One round of load of files that are too large for `wrk`, which counts whole requests: one connection, a request
//! after the other.

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

/// How many bytes are written and read at once.
const PIECE: usize = 1 << 20;

/// What to ask for.
#[derive(Args)]
pub struct Load {
    /// The server
    address: SocketAddr,
    /// Send files instead of asking for them
    #[arg(long)]
    up: bool,
    /// The size of a file in bytes
    #[arg(long, default_value_t = 256 << 20)]
    size: usize,
    /// For how many seconds; the last request is ended
    #[arg(long, default_value_t = 1)]
    seconds: u32,
}

/// Requests per second of a round, from a process of its own.
pub fn round(case: Case, address: SocketAddr, settings: &Settings) -> Result<f64, Box<dyn Error>> {
    let output = command(address, case == Case::Up256M, settings.seconds)?.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let number = said.trim().parse();
    number.map_err(|_| format!("{}: {said}{}", case.title(), String::from_utf8_lossy(&output.stderr)).into())
}

/// A process that loads a server.
pub fn command(address: SocketAddr, up: bool, seconds: u32) -> Result<Command, Box<dyn Error>> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &LOAD_CORE.to_string()]).arg(env::current_exe()?);
    command.args(["load", &address.to_string(), "--seconds", &seconds.to_string()]);
    if up {
        command.arg("--up");
    }
    Ok(command)
}

/// Loads a server, and prints how many requests a second it answered.
pub fn load(load: &Load) -> Result<(), Box<dyn Error>> {
    let mut stream = BufReader::with_capacity(PIECE, TcpStream::connect(load.address)?);
    stream.get_ref().set_nodelay(true)?;
    let piece = files::LINE.repeat(PIECE / files::LINE.len());
    let begun = Instant::now();
    let mut count = 0;
    while count == 0 || begun.elapsed() < Duration::from_secs(load.seconds.into()) {
        let expected = if load.up { send(load, stream.get_mut(), &piece)? } else { ask(load, stream.get_mut())? };
        receive(&mut stream, expected)?;
        count += 1;
    }
    println!("{:.4}", f64::from(count) / begun.elapsed().as_secs_f64());
    Ok(())
}

/// What an answer has to be: its status and its length.
type Expected = (&'static str, usize);

fn ask(load: &Load, stream: &mut TcpStream) -> io::Result<Expected> {
    let (name, token) = (files::name(load.size), keys::token(0));
    let head =
        format!("GET {}?filename={name} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n", files::PATH);
    stream.write_all(head.as_bytes())?;
    Ok((" 200 ", load.size))
}

fn send(load: &Load, stream: &mut TcpStream, piece: &[u8]) -> io::Result<Expected> {
    let (before, behind) = files::around("public/up.txt");
    let length = before.len() + load.size + behind.len();
    let (media_type, token) = (files::media_type(), keys::token(0));
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-type: {media_type}\r\n\
         content-length: {length}\r\n\r\n{before}",
        files::PATH
    );
    stream.write_all(head.as_bytes())?;
    let mut left = load.size;
    while left > 0 {
        let length = left.min(piece.len());
        stream.write_all(&piece[..length])?;
        left -= length;
    }
    stream.write_all(behind.as_bytes())?;
    Ok((" 204 ", 0))
}

fn receive(stream: &mut BufReader<TcpStream>, (status, length): Expected) -> Result<(), Box<dyn Error>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    if !line.contains(status) {
        return Err(format!("the server answers {line:?}, not{status}").into());
    }
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err("the server has gone".into());
        }
    }
    let received = io::copy(&mut stream.take(length as u64), &mut io::sink())?;
    if received == length as u64 { Ok(()) } else { Err("the answer is cut off".into()) }
}
