//! Servers that fail: what clients get, and that no part of a failed response reaches another call.

use std::sync::Mutex;
use std::time::Duration;

use rulebook::Engine;
use serde_json::{Value as Json, json};

use super::definitions::{engine, run, until};
use super::fake_server::{END, FakeServer, Reads, STDERR, STDOUT, Step, end, records, response, text};

/// Calls the method, and returns the status and the reason in the log.
async fn call(engine: &Engine) -> (u16, String) {
    let response = engine.call("song.post").arg("name", "x").send().await;
    let body = response.serialize();
    for secret in ["song.php", "127.0.0.1", "FastCGI", "PHP"] {
        assert!(!body.contains(secret), "the response contains {secret}: {body}");
    }
    (response.status(), format!("{:?}", response.error()))
}

#[test]
fn each_failure_of_a_server_has_its_status_and_closes_the_connection() {
    let outputs = || response("Content-Type: application/json", r#"{"text":"la"}"#);
    let cases: Vec<(&str, Vec<Step>, u16, &str)> = vec![
        ("an early close", vec![Step::Close], 502, "closed the connection"),
        ("a close in a record", vec![Step::Send(outputs()[..20].to_vec()), Step::Close], 502, "closed the connection"),
        (
            "a response without an end",
            vec![Step::Send(outputs()[..outputs().len() - 19].to_vec()), Step::Close],
            502,
            "closed",
        ),
        ("another protocol", vec![Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())], 502, "version 72"),
        ("another request id", vec![Step::Send(vec![1, 6, 0, 2, 0, 1, 0, 0, 1])], 502, "request id 2"),
        ("an unknown type", vec![Step::Send(vec![1, 77, 0, 1, 0, 0, 0, 0])], 502, "unexpected type 77"),
        ("an old version", vec![Step::Send(vec![0, 6, 0, 1, 0, 1, 0, 0, 1])], 502, "version 0"),
        ("no request id", vec![Step::Send(vec![1, 6, 0, 0, 0, 1, 0, 0, 1])], 502, "request id 0"),
        ("a record of a client", vec![Step::Send(records(1, &[0; 8]))], 502, "unexpected type 1"),
        ("a short end", vec![Step::Send(records(END, &[0; 7]))], 502, "an end record has 7 bytes"),
        ("a long end", vec![Step::Send(records(END, &[0; 9]))], 502, "an end record has 9 bytes"),
        (
            "data after the end of a stream",
            vec![Step::Send([vec![1, 6, 0, 1, 0, 0, 0, 0], records(STDOUT, b"x")].concat())],
            502,
            "a stream continues after its end",
        ),
        ("no head", vec![Step::Send(end(0))], 502, "no head"),
        ("a head without an end", vec![Step::Send([records(STDOUT, b"A: b\r\n"), end(0)].concat())], 502, "no head"),
        ("an endless head", vec![Step::Send(records(STDOUT, &b"A: b\r\n".repeat(90).repeat(100)))], 502, "head"),
        ("an invalid head", vec![Step::Send(response("<br>Warning: x", "{}"))], 502, "the head of the response"),
        ("an invalid status", vec![Step::Send(response("Status: 99", "{}"))], 502, "100 to 599"),
        ("no JSON", vec![Step::Send(response("A: b", "<html>"))], 502, "not JSON"),
        ("a long response", vec![Step::Send(response("A: b", &"x".repeat(3000)))], 502, "`max_response`"),
        ("endless messages", vec![Step::Send(records(STDERR, &vec![b'x'; 2 << 20]))], 502, "messages for the log"),
        ("an overloaded server", vec![Step::Send(end(2))], 503, "overloaded"),
        ("a server without multiplexing", vec![Step::Send(end(1))], 502, "protocol status 1"),
        ("an unknown role", vec![Step::Send(end(3))], 502, "protocol status 3"),
        (
            "an error page",
            vec![Step::Send(response("Status: 404 Not Found", "File not found.\n"))],
            502,
            "script is missing",
        ),
        ("a failed script", vec![Step::Send(response("Status: 500", ""))], 502, "status 500"),
        ("a redirect", vec![Step::Send(response("Status: 302\r\nLocation: /x", ""))], 502, "status 302"),
        ("an undeclared error", vec![Step::Send(response("Status: 404", r#"{"error":"gone"}"#))], 502, r#"\"gone\""#),
        ("wrong outputs", vec![Step::Send(response("A: b", r#"{"text":7}"#))], 500, "text"),
        ("a list", vec![Step::Send(response("A: b", "[1]"))], 500, ""),
    ];
    for (name, steps, status, reason) in cases {
        run(async {
            // Only after a complete response, the connection can be used again.
            let is_complete = matches!(&steps[..], [Step::Send(bytes)] if bytes.ends_with(&end(0)));
            let steps = Mutex::new(Some(steps));
            let respond = move |_: usize, _: &_| match steps.lock().unwrap().take() {
                Some(steps) if is_complete => steps,
                Some(steps) => steps.into_iter().chain([Step::AwaitClose]).collect(),
                None => text("after the failure"),
            };
            let server = FakeServer::start(respond).await;
            let engine = engine(&server.address, &json!({ "max_response": 2000, "idle": 60 }));
            let (got, error) = call(&engine).await;
            assert_eq!(got, status, "{name}: {error}");
            assert!(error.contains(reason), "{name}: {error}");
            assert_eq!(server.requests().len(), 1, "{name}: the request is not sent again");
            let next = engine.call("song.post").send().await;
            assert_eq!(next.get("text"), Some(&json!("after the failure")), "{name}");
            until(|| is_complete || server.connections()[0].is_closed).await;
        });
    }
}

#[test]
fn a_server_that_is_down_is_a_bad_gateway_and_fails_the_readiness_check() {
    run(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let (status, error) = call(&engine(&address, &json!({}))).await;
        assert_eq!(status, 502);
        assert!(error.contains("cannot be reached"), "{error}");
    });
}

#[test]
fn a_response_is_read_however_its_bytes_arrive() {
    run(async {
        let server = FakeServer::start(|number, _| {
            let head = records(STDOUT, b"Content-Type: application/json\r\n\r\n");
            let body = [records(STDOUT, br#"{"text":"la"}"#), vec![1, STDOUT, 0, 1, 0, 0, 2, 0, 9, 9]].concat();
            let all = [head, records(STDERR, b"a warning\n"), body, end(0)].concat();
            let pieces = all.chunks(number + 1).map(|piece| Step::Send(piece.to_vec()));
            pieces.flat_map(|piece| [piece, Step::Wait(Duration::from_millis(1))]).collect()
        })
        .await;
        let engine = engine(&server.address, &json!({}));
        for _ in 0..12 {
            assert_eq!(engine.call("song.post").send().await.get("text"), Some(&json!("la")));
        }
        assert_eq!(server.connections().len(), 1);
    });
}

#[test]
fn a_request_whose_parameters_need_several_records_is_sent() {
    run(async {
        let server = FakeServer::start(|_, _| text("la")).await;
        let value = |first: char| first.to_string().repeat(30_000);
        let environment = json!({ "A": value('a'), "B": value('b'), "C": value('c') });
        let engine = engine(&server.address, &json!({ "environment": environment }));
        assert_eq!(call(&engine).await.0, 200);
        let request = &server.requests()[0];
        for (name, first) in [("A", 'a'), ("B", 'b'), ("C", 'c')] {
            assert_eq!(request.parameter(name), Some(value(first).as_str()));
        }
    });
}

#[test]
fn a_late_response_is_a_timeout_and_never_reaches_the_next_call() {
    run(async {
        let server = FakeServer::start(|number, _| match number {
            // The response of the first call comes when the second one runs.
            0 => vec![Step::Send(records(STDERR, b"slow\n")), Step::AwaitClose],
            _ => text("second"),
        })
        .await;
        let engine = engine(&server.address, &json!({ "timeout": 0.2, "connections": 1 }));
        let (status, error) = call(&engine).await;
        assert_eq!(status, 504, "{error}");
        until(|| server.connections()[0].is_closed).await;
        assert_eq!(engine.call("song.post").send().await.get("text"), Some(&json!("second")));
        assert_eq!(server.requests()[1].connection, 1);
    });
}

#[test]
fn a_call_whose_caller_is_gone_frees_its_connection_after_its_time_limit() {
    run(async {
        let server = FakeServer::start(|number, _| if number == 0 { vec![Step::AwaitClose] } else { text("la") }).await;
        let engine = engine(&server.address, &json!({ "connections": 1, "timeout": 0.3 }));
        let mut dropped = Box::pin(engine.call("song.post").send());
        tokio::select! {
            _ = &mut dropped => panic!("the call has ended"),
            () = until(|| server.requests().len() == 1) => {}
        }
        drop(dropped);
        until(|| server.connections()[0].is_closed).await;
        assert_eq!(engine.call("song.post").send().await.status(), 200);
    });
}

#[test]
fn calls_over_the_limit_wait_for_a_connection_and_then_fail() {
    run(async {
        let server = FakeServer::start(|_, _| vec![Step::AwaitClose]).await;
        let engine = engine(&server.address, &json!({ "connections": 2, "wait": 0.1, "timeout": 60 }));
        let mut waiting = [(); 2].map(|()| Box::pin(engine.call("song.post").send()));
        let [first, second] = &mut waiting;
        tokio::select! {
            _ = first => panic!("the call has ended"),
            _ = second => panic!("the call has ended"),
            () = until(|| server.requests().len() == 2) => {}
        }
        let (status, error) = call(&engine).await;
        assert_eq!(status, 503, "{error}");
        assert_eq!(server.connections().len(), 2);
    });
}

#[test]
fn a_server_that_responds_before_it_reads_the_request_blocks_nothing() {
    run(async {
        // Neither the response nor the request fits into the buffers of the sockets.
        let long: String = "x".repeat(6 << 20);
        let body = format!("{{\"text\":\"{long}\"}}");
        let respond = move |_: usize, _: &_| {
            vec![Step::Send(records(STDOUT, format!("A: b\r\n\r\n{body}").as_bytes())), Step::Send(end(0))]
        };
        let server = FakeServer::start_reading(Reads::Nothing, respond).await;
        let engine = engine(&server.address, &json!({ "max_response": "16MB" }));
        let response = engine.call("song.post").arg("name", long.as_str()).send().await;
        assert_eq!(response.get("text").and_then(Json::as_str).map(str::len), Some(long.len()));
        until(|| server.requests()[0].body.len() > long.len()).await;
    });
}

#[test]
fn a_response_before_the_end_of_the_request_is_used_but_not_its_connection() {
    run(async {
        let server = FakeServer::start_reading(Reads::Nothing, |_, _| {
            let response = response("Content-Type: application/json", r#"{"text":"early"}"#);
            vec![Step::Send(response), Step::AwaitClose]
        })
        .await;
        let engine = engine(&server.address, &json!({ "connections": 1 }));
        for number in 0..2 {
            let response = engine.call("song.post").arg("name", "x".repeat(8 << 20)).send().await;
            assert_eq!(response.get("text"), Some(&json!("early")), "{number}");
        }
        assert_eq!(server.connections().len(), 2);
    });
}

#[test]
fn a_server_whose_queue_is_full_is_unavailable() {
    use socket2::{Domain, SockAddr, Socket, Type};
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("php.sock");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        // The queue has space for a single connection.
        listener.listen(0).unwrap();
        let engine = engine(&format!("unix:{}", path.display()), &json!({ "timeout": 0.5 }));
        let waiting = engine.call("song.post").send();
        let rejected = async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            call(&engine).await
        };
        let (waiting, (status, error)) = futures_util::future::join(waiting, rejected).await;
        assert_eq!(waiting.status(), 504);
        assert_eq!(status, 503);
        assert!(error.contains("overloaded"), "{error}");
    });
}
