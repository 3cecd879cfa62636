//! Tests of standard output and standard error: closed pipes, full disks, and colors.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, PipeReader, PipeWriter, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::json;

use super::{definition_folder, run_program, shop_folder};
use crate::client::{Connection, Request, wait_until};
use crate::server_process::{ServerProcess, free_address, program};

/// Command line arguments with which the program prints to standard output.
const PRINTING_COMMANDS: [&[&str]; 6] =
    [&["check"], &["check", "--print"], &["routes"], &["explain"], &["call", "article.get"], &["--help"]];

#[test]
fn output_to_a_closed_pipe_is_not_an_error() {
    let folder = shop_folder();
    for arguments in PRINTING_COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = program(folder.path()).args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_to_a_full_disk_is_an_error() {
    let folder = shop_folder();
    for arguments in [&["check", "--print"][..], &["routes"], &["call", "article.get", "id=x"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = program(folder.path()).args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: standard output: "), "{stderr}");
    }
}

#[test]
fn output_to_pipes_has_no_colors() {
    let folder = definition_folder(&[("a.json", json!({ "/": { "a": { "GET": { "info": " " } } } }))]);
    for arguments in [&["check"][..], &["routes"], &["serve"], &["--help"], &["--unknown"]] {
        let result = run_program(folder.path(), arguments);
        assert!(!result.stdout.contains('\x1b') && !result.stderr.contains('\x1b'), "{arguments:?}: {result:?}");
        assert!(result.stdout.len() + result.stderr.len() > 40, "{arguments:?}: {result:?}");
    }
}

/// The number of requests whose lines in the log are longer together than a pipe and a queue.
const MANY_REQUESTS: usize = 3_000;

fn send_many_requests(address: &str) {
    let mut connection = Connection::open(address.parse().unwrap());
    let request = Request::new("GET", format!("/{}", "x".repeat(1_000)));
    for _ in 0..MANY_REQUESTS {
        assert_eq!(connection.send(&request).status, 404);
    }
    assert_eq!(connection.send(&Request::new("GET", "/healthz")).status, 200);
}

fn dropped_lines(address: &str) -> u64 {
    let metrics = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/metrics"));
    let metrics = String::from_utf8(metrics.body).unwrap();
    let count = metrics.lines().find_map(|line| line.strip_prefix("rulebook_log_lines_dropped_total "));
    count.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

/// Returns the lines of a pipe, which are read only as they are received.
fn lines_on_demand(reader: PipeReader) -> Receiver<String> {
    let (sender, lines) = sync_channel(0);
    std::thread::spawn(move || {
        let lines = BufReader::new(reader).lines();
        lines.map_while(Result::ok).find_map(|line| sender.send(line).err())
    });
    lines
}

#[cfg(unix)]
#[test]
fn a_log_that_is_not_read_costs_lines_but_no_request_and_no_stop() {
    let (folder, address) = (shop_folder(), free_address());
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = program(folder.path());
    command.args(["serve", "--workers", "1"]);
    let mut server = ServerProcess::run_with_log(&mut command, folder.path(), &address, writer);
    // The other end of the pipe is open only in the server.
    drop(command);
    send_many_requests(&address);
    assert!(dropped_lines(&address) > 0);
    let lines = lines_on_demand(reader);
    let next = || lines.recv_timeout(Duration::from_secs(300)).unwrap();
    let mut written = 0;
    let dropped: usize = loop {
        let line = next();
        assert!(line.starts_with("[20"), "{line}");
        if let Some((_, report)) = line.split_once("rulebook::line_queue] ") {
            break report.split(' ').next().unwrap().parse().unwrap();
        }
        let is_access = line.contains("rulebook::access] ");
        assert!(!is_access || line.matches(" GET ").count() == 1 && line.matches("rulebook::").count() == 1, "{line}");
        written += usize::from(is_access);
    };
    // The other two requests are those of `/healthz` and `/metrics`.
    assert_eq!(written + dropped, MANY_REQUESTS + 2);
    Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/after"));
    assert!(next().contains(" GET /after 404 "));
    // The reader stops again.
    send_many_requests(&address);
    server.signal("HUP");
    assert_eq!(Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/healthz")).status, 200);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_log_whose_reader_has_ended_costs_lines() {
    let (folder, address) = (shop_folder(), free_address());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = program(folder.path());
    command.args(["serve", "--workers", "1"]);
    let mut server = ServerProcess::run_with_log(&mut command, folder.path(), &address, writer);
    assert!(wait_until(|| dropped_lines(&address) > 3));
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

/// Writes to a pipe until it accepts nothing more.
#[cfg(unix)]
fn fill(pipe: &mut PipeWriter) {
    rustix::io::ioctl_fionbio(&*pipe, true).unwrap();
    while match pipe.write(&[b'\n'; 512]) {
        Ok(_) => true,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    } {}
    rustix::io::ioctl_fionbio(&*pipe, false).unwrap();
}

#[cfg(unix)]
#[test]
fn a_server_starts_and_stops_although_nothing_that_it_prints_is_read() {
    let (folder, address) = (shop_folder(), free_address());
    let (_reader, mut writer) = std::io::pipe().unwrap();
    fill(&mut writer);
    let mut command = program(folder.path());
    command.args(["serve", "--workers", "1", "--bind", &address]);
    let mut child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    assert!(wait_until(|| std::net::TcpStream::connect(&address).is_ok()));
    assert_eq!(Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/healthz")).status, 200);
    let killed = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let has_ended = wait_until(|| child.try_wait().unwrap().is_some());
    child.kill().unwrap();
    assert!(has_ended && child.wait().unwrap().success());
}
