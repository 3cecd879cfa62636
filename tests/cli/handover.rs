//! Tests of the signal SIGUSR2: a new process takes over the sockets of the server.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::shop_folder;
use crate::server_process::{ServerProcess, free_address};

const TIMEOUT: Duration = Duration::from_secs(300);

fn wait_for<T>(what: &str, find: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(begun.elapsed() < TIMEOUT, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the id of the process that serves, which it has written to its data folder.
fn serving_process(folder: &Path) -> Option<u32> {
    fs::read_to_string(folder.join("data/server.lock")).ok()?.trim().parse().ok()
}

/// Ends a process that is not a child of this one.
struct Successor(u32);

impl Drop for Successor {
    fn drop(&mut self) {
        Command::new("kill").args(["-KILL", &self.0.to_string()]).status().unwrap();
    }
}

#[test]
fn no_request_fails_while_a_new_process_takes_over() {
    let folder = shop_folder();
    let address = free_address();
    let mut process = ServerProcess::start(folder.path(), &address, &["serve"]);
    assert_eq!(serving_process(folder.path()), Some(process.id()));
    let (is_done, handled) = (AtomicBool::new(false), AtomicU32::new(0));
    let send = |keeps_connection: bool| {
        let max_idle = if keeps_connection { 1 } else { 0 };
        let agent: ureq::Agent = ureq::Agent::config_builder().max_idle_connections(max_idle).build().into();
        while !is_done.load(Ordering::Relaxed) {
            let response = agent.get(format!("http://{address}/article")).call().unwrap();
            assert_eq!(response.status(), 200);
            handled.fetch_add(1, Ordering::Relaxed);
        }
    };
    let successor = std::thread::scope(|scope| {
        let clients: Vec<_> = [true, false].map(|keeps| scope.spawn(move || send(keeps))).into();
        process.signal("USR2");
        assert_eq!(process.wait(), Some(0), "{}", process.log());
        let successor = wait_for("no process has locked the folder", || {
            serving_process(folder.path()).filter(|id| *id != process.id())
        });
        let before = handled.load(Ordering::Relaxed);
        let is_served = || (handled.load(Ordering::Relaxed) > before + 10).then_some(());
        wait_for("the new process does not serve", || {
            is_served().or(clients.iter().any(std::thread::ScopedJoinHandle::is_finished).then_some(()))
        });
        is_done.store(true, Ordering::Relaxed);
        Successor(successor)
    });
    assert_ne!(successor.0, process.id());
}

#[test]
fn a_server_continues_if_the_new_process_cannot_start() {
    let folder = shop_folder();
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve"]);
    fs::write(folder.path().join("api/shop.json"), "{").unwrap();
    process.signal("USR2");
    wait_for("the new process does not end", || process.log().contains("so that this one continues").then_some(()));
    assert!(process.log().contains("api/shop.json:1:1"), "{}", process.log());
    assert_eq!(ureq::get(format!("http://{address}/article")).call().unwrap().status(), 200);
}
