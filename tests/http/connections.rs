//! Connections: kept where they can be, closed where they cannot, whatever clients do.

use std::io::{Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rulebook::{Args, Context, Ended, Module, Refusal, Settings};
use serde_json::{Value, json};

use super::{echo, handlers};
use crate::client::{Connection, Request, Site, engine, wait};
#[cfg(unix)]
use crate::served;

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_connection_is_kept_after_a_refusal() {
    let site = echo(&json!({ "body": 100 }));
    let mut connection = site.connect();
    let cases = [
        (Request::new("GET", "/nowhere"), 404),
        (Request::new("DELETE", "/echo"), 405),
        (Request::new("POST", "/locked").body(FORM, "text=word"), 401),
        (Request::new("POST", "/nowhere").body(FORM, vec![b'x'; 1000]), 404),
        (Request::new("POST", "/nowhere").chunked(FORM, &[b"text", b"=word"]), 404),
        (Request::new("POST", "/echo").body(FORM, vec![b'x'; 101]), 413),
        (Request::new("POST", "/echo").body("text/csv", "a,b"), 415),
        (Request::new("POST", "/echo").body(FORM, "text=%ff"), 400),
        (Request::new("POST", "/file").body("multipart/form-data; boundary=XX", "nothing"), 400),
        (Request::new("GET", "/echo").body(FORM, "word=not+read"), 200),
    ];
    for (request, status) in cases {
        let answer = connection.ask(&request);
        assert_eq!(answer.status, status, "{request:?}: {answer:?}");
        assert_eq!(answer.field("connection"), None, "{request:?}: {answer:?}");
        connection.assert_usable();
    }
}

#[test]
fn a_long_body_that_nobody_wants_is_not_read_to_its_end() {
    let site = echo(&json!({}));
    let endless = Request::new("POST", "/nowhere").field("transfer-encoding", "chunked");
    let long = Request::new("POST", "/nowhere").field("content-length", 1_000_000_000);
    for request in [endless, long] {
        let mut connection = site.connect();
        connection.write(&request.head());
        let answer = connection.answer(false);
        answer.assert_refused(404, "no service has this URI");
        assert_eq!(answer.field("connection"), Some("close"));
        // The server has turned away: it ends the connection however long one goes on sending.
        let chunk = [b"2710\r\n".as_slice(), &[b'x'; 10_000], b"\r\n"].concat();
        let started = Instant::now();
        while connection.stream.write_all(&chunk).is_ok() {
            assert!(started.elapsed() < Duration::from_secs(5), "the server goes on reading");
        }
    }
}

#[test]
fn pipelined_requests_are_answered_in_turn() {
    let site = echo(&json!({}));
    let mut connection = site.connect();
    let mut requests = Vec::new();
    for number in 0..40 {
        requests.push(Request::new("GET", format!("/echo?word={number}")));
        requests.push(Request::new("POST", "/echo").body(FORM, format!("text={number}")));
        requests.push(Request::new("POST", "/nowhere").chunked(FORM, &[b"text=word"]));
    }
    let all: Vec<u8> = requests.iter().flat_map(Request::bytes).collect();
    let mut writing = connection.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || writing.write_all(&all).unwrap());
    for number in 0..40 {
        connection.answer(false).assert_args(&json!({ "word": number.to_string() }));
        connection.answer(false).assert_args(&json!({ "text": number.to_string() }));
        connection.answer(false).assert_refused(404, "no service has this URI");
    }
    writer.join().unwrap();
}

#[test]
fn a_client_that_has_said_all_is_still_answered() {
    let site = echo(&json!({}));
    let mut connection = site.connect();
    connection.write(&Request::new("POST", "/echo").body(FORM, "text=word").bytes());
    connection.close_writing();
    connection.answer(false).assert_args(&json!({ "text": "word" }));
    connection.assert_closed();
}

#[test]
fn a_body_that_breaks_off_is_no_body() {
    let site = echo(&json!({}));
    let announced = Request::new("POST", "/echo").field("content-length", 100);
    let chunked = Request::new("POST", "/echo").field("transfer-encoding", "chunked");
    for (request, body, words) in [
        (&announced, "text=word", "the body cannot be read: it breaks off"),
        (&chunked, "9\r\ntext=word\r\n", "the body cannot be read: it breaks off"),
        (&chunked, "nonsense\r\n", "the body cannot be read: it breaks off"),
    ] {
        let mut connection = site.connect();
        connection.write(&request.head());
        connection.write(body.as_bytes());
        connection.close_writing();
        connection.answer(false).assert_refused(400, words);
    }
}

#[test]
fn what_is_no_request_is_refused_and_the_next_client_served() {
    let site = echo(&json!({}));
    for bytes in
        [&b"\x00\x01\x02\x03\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"PRI * HTTP/2"]
    {
        let mut connection = site.connect();
        connection.write(bytes);
        connection.close_writing();
        while connection.more() {}
    }
    site.connect().assert_usable();
}

/// How often handlers have begun and ended, and after hooks have run.
#[derive(Default)]
struct Counts {
    begun: AtomicUsize,
    ended: AtomicUsize,
    after: AtomicUsize,
}

/// An API whose one handler takes a while.
fn slow(counts: &Arc<Counts>, takes: Duration) -> Site {
    let definition = json!({ "/": { "slow": { "GET": { "info": "Takes a while" } } } });
    let counts = Arc::clone(counts);
    let seen = Arc::clone(&counts);
    let handler = move |_: Args<()>, _: Context| {
        let counts = Arc::clone(&counts);
        async move {
            counts.begun.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(takes).await;
            counts.ended.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Refusal>(json!({}))
        }
    };
    let after = move |_: Context, ended: Ended| {
        assert_eq!(ended, Ended::Succeeded);
        seen.after.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    };
    handlers(&definition, Module::new("site").get("/slow", handler).after(after))
}

fn count(of: &AtomicUsize) -> usize {
    of.load(Ordering::SeqCst)
}

#[test]
fn a_client_that_goes_away_does_not_cancel_its_handler() {
    let counts = Arc::new(Counts::default());
    let site = slow(&counts, Duration::from_millis(300));
    for number in 1..=3 {
        let mut connection = site.connect();
        connection.write(&Request::new("GET", "/slow").bytes());
        assert!(wait(|| count(&counts.begun) == number));
        // Closing with something unread resets the connection, which ends the request at once.
        if number > 1 {
            connection.write(&Request::new("GET", "/slow").head()[..10]);
        }
        drop(connection);
        assert!(wait(|| count(&counts.ended) == number && count(&counts.after) == number));
    }
}

#[test]
fn a_server_that_stops_lets_requests_in_flight_end() {
    let counts = Arc::new(Counts::default());
    let site = slow(&counts, Duration::from_millis(300));
    let address = site.address();
    let (mut idle, mut busy) = (site.connect(), site.connect());
    busy.write(&Request::new("GET", "/slow").bytes());
    assert!(wait(|| count(&counts.begun) == 1));
    site.running.stopper().stop();
    let answer = busy.answer(false);
    assert_eq!((answer.status, answer.json()["error"].clone()), (200, Value::from(0)));
    assert!(!idle.more(), "a connection without a request is closed");
    let waiting = Instant::now();
    site.running.wait().unwrap();
    // Far less than the time after which it would cut off what is left.
    assert!(waiting.elapsed() < Duration::from_secs(20), "{:?}", waiting.elapsed());
    // Another test may have taken the port already: then somebody answers there, but not this handler.
    let gone = wait(|| {
        TcpStream::connect(address).map_or(true, |mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            let asked = stream.write_all(&Request::new("GET", "/slow").bytes());
            asked.and_then(|()| stream.read(&mut [0])).is_ok_and(|length| length > 0)
        })
    });
    assert!(gone, "it still listens");
    assert_eq!(count(&counts.begun), 1);
}

#[test]
fn an_address_that_is_taken_is_told() {
    let site = echo(&json!({}));
    let taken = site.address().to_string();
    let settings = Settings { bind: vec![taken.clone()], ..Settings::default() };
    let error = engine(&[("site.json", json!({}))], |engine| engine).serve(&settings).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&taken), "{error}");
    let nowhere = Settings { bind: Vec::new(), ..Settings::default() };
    assert!(engine(&[("site.json", json!({}))], |engine| engine).serve(&nowhere).is_err());
}

#[test]
fn every_address_is_listened_on() {
    let two = Settings { bind: vec!["127.0.0.1:0".to_owned(); 2], workers: Some(2), ..Settings::default() };
    let definition = json!({ "GET": { "info": "Nothing" } });
    let running = engine(&[("app.json", json!({ "unbound": "echo" })), ("site.json", definition)], |engine| engine)
        .serve(&two)
        .unwrap();
    assert_eq!(running.addresses().len(), 2);
    for address in running.addresses() {
        let answer = Connection::to(*address).ask(&Request::new("GET", "/"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    running.stop().unwrap();
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_program() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("api")).unwrap();
        std::fs::write(folder.path().join("api/site.json"), r#"{ "GET": { "info": "Nothing" } }"#).unwrap();
        let address = served::free_address();
        let mut child = served::program(folder.path())
            .args(["serve", "--unbound", "echo", "--bind", &address])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // What it says comes when it is ready for signals.
        let said = child.stdout.as_mut().unwrap().read(&mut [0]).unwrap();
        assert_eq!(said, 1, "it has stopped");
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let ended = wait(|| TcpStream::connect(&address).is_err());
        if !ended {
            child.kill().unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
    }
}
