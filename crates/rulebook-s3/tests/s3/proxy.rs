//! Runs tests in a process whose bucket is behind a proxy, which can change what the process receives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

/// A request that the bucket has handled, and its response.
pub struct Exchange<'a> {
    pub client: &'a TcpStream,
    /// The request line and the header fields.
    pub head: String,
    pub body: String,
    pub response: Vec<u8>,
}

/// Runs the test `name` in another process, in which `variable` contains the URL of the bucket, and panics if it fails.
/// `respond` sends the responses, in a thread for each; the connection ends when it returns.
pub fn run_behind_proxy(
    name: &str,
    [variable, url]: [&str; 2],
    respond: impl Fn(&Exchange<'_>) -> std::io::Result<()> + Send + Sync + 'static,
) {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap();
    let upstream = endpoint.strip_prefix("http://").unwrap().to_owned();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let respond = Arc::new(respond);
    thread::spawn(move || {
        for client in proxy.incoming().flatten() {
            let (upstream, respond) = (upstream.clone(), Arc::clone(&respond));
            thread::spawn(move || {
                // The connection fails if the client has left.
                if let Ok(Some(exchange)) = pass_on(&client, &upstream) {
                    let _ = respond(&exchange);
                    let _ = client.shutdown(Shutdown::Both);
                }
            });
        }
    });
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", name]).env(variable, url).env("AWS_ENDPOINT_URL", format!("http://{address}"));
    let output = program.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{stderr}");
}

/// Sends one request of a client to the server, and returns its response. Returns `None` if the client sends none.
fn pass_on<'a>(client: &'a TcpStream, upstream: &str) -> std::io::Result<Option<Exchange<'a>>> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if let Some(value) = head[start..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let head = head.trim_end().to_owned() + "\r\nConnection: close\r\n\r\n";
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(head.as_bytes())?;
    server.write_all(&body)?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    Ok(Some(Exchange { client, head, body: String::from_utf8_lossy(&body).into_owned(), response }))
}
