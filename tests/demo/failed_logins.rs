//! Tests of the limits of logins and registrations: floods of wrong logins delay no users, and need little memory.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{DemoFolder, Server};
use crate::client::{Connection, Request, Response, wait_until};

/// The number of clients of a flood.
const CLIENTS: usize = 64;
/// The maximum additional memory that a flood may need, in bytes. Two computations of a password hash need 38 MiB; the
/// rest is for the documents that the server may still compress. Computations for all clients would need 1,200 MiB.
#[cfg(target_os = "linux")]
const MAX_ADDITIONAL_MEMORY: u64 = 96 << 20;

fn login_request(login: &str, password: &str) -> Request {
    let body = json!({ "login": login, "password": password }).to_string();
    Request::new("POST", "/user/login").body("application/json", body)
}

fn register_request(login: &str) -> Request {
    let body = json!({ "login": login, "name": "A user", "password": "ten letters" }).to_string();
    Request::new("POST", "/user").body("application/json", body)
}

/// Returns a request that the proxy forwards for a client with this address.
fn forwarded(request: Request, address: &str) -> Request {
    request.field("x-forwarded-for", address)
}

/// Starts a server that trusts the address of the tests as a proxy.
fn serve_behind_proxy(place: &DemoFolder) -> Server {
    let mut command = place.command();
    command.env("RULEBOOK_TRUSTED_PROXIES", "127.0.0.1");
    place.serve_with_command(command)
}

#[track_caller]
fn assert_too_many(response: &Response, name: &str) {
    assert_eq!((response.status, &response.json()["code"]), (429, &json!(name)), "{response:?}");
    let seconds: u64 = response.field("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{response:?}");
}

#[cfg(target_os = "linux")]
fn assert_little_memory(server: &Server, idle: u64) {
    let peak = support::memory::peak_bytes(server.process.id());
    assert!(peak < idle + MAX_ADDITIONAL_MEMORY, "{peak} bytes, {idle} bytes when idle");
}

/// Sends requests from many connections until `observe` returns, and returns the responses. `observe` is called when
/// the first response has arrived. The arguments of `request` are the numbers of the client and of its request.
fn flood(
    address: SocketAddr,
    request: impl Fn(usize, usize) -> Request + Sync,
    observe: impl FnOnce(),
) -> Vec<Response> {
    let (is_over, responses) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (is_over, responses, request) = (&is_over, &responses, &request);
            scope.spawn(move || {
                let mut connection = Connection::open(address);
                for number in 0.. {
                    let response = connection.send(&request(client, number));
                    responses.lock().unwrap().push(response);
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        // The flood also ends if an assertion in `observe` fails.
        let ends = EndOnDrop(&is_over);
        assert!(wait_until(|| !responses.lock().unwrap().is_empty()));
        observe();
        drop(ends);
    });
    responses.into_inner().unwrap()
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_flood_of_wrong_logins_from_one_address_delays_no_login_from_another() {
    let place = DemoFolder::new();
    let server = place.serve();
    assert_eq!(server.get("/user/1").status, 200);
    let idle = support::memory::resident_bytes(server.process.id());
    let wrong = |client, number| login_request(&format!("user{}", client + number), "wrong");
    let responses = flood(server.address, wrong, || {
        for _ in 0..5 {
            let mut other = Connection::open_from("127.0.0.2", server.address);
            let response = other.send(&login_request("ada", "analytical engine"));
            assert_eq!(response.status, 200, "{response:?}");
        }
    });
    assert_little_memory(&server, idle);
    let (checked, rejected): (Vec<_>, Vec<_>) = responses.iter().partition(|response| response.status == 403);
    assert_eq!(checked.len(), 10, "the maximum number of failures of an address in a minute");
    assert!(rejected.len() >= CLIENTS - 10, "{}", rejected.len());
    for response in rejected {
        assert_too_many(response, "too_many_failures");
    }
}

#[test]
fn logins_are_rejected_at_once_if_many_addresses_log_in_at_the_same_time() {
    let place = DemoFolder::new();
    let server = serve_behind_proxy(&place);
    assert_eq!(server.get("/user/1").status, 200);
    #[cfg(target_os = "linux")]
    let idle = support::memory::resident_bytes(server.process.id());
    let wrong = |client, number| forwarded(login_request("ada", "wrong"), &format!("10.0.{client}.{}", number % 250));
    let responses = flood(server.address, wrong, || {});
    #[cfg(target_os = "linux")]
    assert_little_memory(&server, idle);
    let (checked, rejected): (Vec<_>, Vec<_>) = responses.iter().partition(|response| response.status == 403);
    assert!(!checked.is_empty() && !rejected.is_empty(), "{} and {}", checked.len(), rejected.len());
    for response in rejected {
        assert_too_many(response, "too_busy");
    }
    let after = forwarded(login_request("ada", "analytical engine"), "10.1.0.0");
    assert_eq!(server.send(&after).status, 200);
}

#[test]
fn failures_with_a_login_name_lock_only_the_address_that_caused_them() {
    let place = DemoFolder::new();
    let server = serve_behind_proxy(&place);
    let send = |login, password, address| server.send(&forwarded(login_request(login, password), address));
    for _ in 0..5 {
        assert_eq!(send("ada", "wrong", "192.0.2.1").status, 403);
    }
    assert_too_many(&send("ada", "wrong", "192.0.2.1"), "too_many_failures");
    assert_too_many(&send("ada", "analytical engine", "192.0.2.1"), "too_many_failures");
    assert_eq!(send("ada", "analytical engine", "192.0.2.2").status, 200);
    // A success resets the number of failures.
    for number in 0..12 {
        assert_eq!(send("ada", "wrong", "192.0.2.3").status, 403, "{number}");
        assert_eq!(send("ada", "analytical engine", "192.0.2.3").status, 200, "{number}");
    }
}

#[test]
fn registrations_are_rejected_at_once_if_too_many_are_in_progress() {
    let place = DemoFolder::new();
    let server = serve_behind_proxy(&place);
    // The clients have many addresses, because the registrations of an address are limited.
    let register = |client, number| {
        let request = register_request(&format!("user{client}.{number}"));
        forwarded(request, &format!("10.0.{client}.{}", number % 250))
    };
    // On a slow disk, a request waits for the database until it fails.
    let is_unavailable = |response: &Response| response.status == 503;
    let responses = flood(server.address, register, || {
        let login = || server.send(&login_request("ada", "analytical engine"));
        let mut response = login();
        wait_until(|| {
            if is_unavailable(&response) {
                response = login();
            }
            !is_unavailable(&response)
        });
        assert_eq!(response.status, 200, "{response:?}");
    });
    let handled = responses.iter().filter(|response| !is_unavailable(response));
    let (registered, rejected): (Vec<_>, Vec<_>) = handled.partition(|response| response.status == 201);
    assert!(!registered.is_empty() && !rejected.is_empty(), "{} and {}", registered.len(), rejected.len());
    for response in rejected {
        assert_too_many(response, "too_busy");
    }
}

/// Sends requests until one is rejected, and returns the number of requests before it. `request` gets their number.
fn count_until_rejected(server: &Server, status: u16, name: &str, request: impl Fn(usize) -> Request) -> usize {
    for number in 0..100 {
        let response = server.send(&request(number));
        if response.status != status {
            assert_too_many(&response, name);
            return number;
        }
    }
    panic!("no request is rejected");
}

#[test]
fn registrations_of_an_address_are_limited() {
    let place = DemoFolder::new();
    let server = serve_behind_proxy(&place);
    let register = |address| {
        count_until_rejected(&server, 201, "too_many_registrations", |number| {
            forwarded(register_request(&format!("user{address}.{number}")), &format!("192.0.2.{address}"))
        })
    };
    // More than ten only if the machine is so slow that six seconds pass.
    assert!((10..20).contains(&register(1)));
    assert!(register(2) >= 10, "another address");
    assert_eq!(server.send(&login_request("user1.0", "ten letters")).status, 200);
}

#[test]
fn successful_logins_of_an_address_are_limited_and_lock_no_other_address() {
    let place = DemoFolder::new();
    let server = serve_behind_proxy(&place);
    let log_in = |address: &str| {
        count_until_rejected(&server, 200, "too_many_logins", |_| {
            forwarded(login_request("ada", "analytical engine"), address)
        })
    };
    assert!((20..40).contains(&log_in("192.0.2.1")));
    assert!(log_in("192.0.2.2") >= 20, "the same user from another address");
}

#[test]
fn failed_logins_do_not_count_as_successful_logins() {
    let place = DemoFolder::new();
    let server = serve_behind_proxy(&place);
    let send = |password| server.send(&forwarded(login_request("ada", password), "192.0.2.1")).status;
    for number in 0..15 {
        assert_eq!((send("wrong"), send("analytical engine")), (403, 200), "{number}");
    }
}
