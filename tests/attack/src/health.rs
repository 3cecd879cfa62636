//! A healthy client, which requests `/healthz` during an attack and measures how long the responses take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Result;
use crate::client::{Connection, TIMEOUT, Target};
use crate::measure::{HEALTHY_CORE, pin_thread, processor_seconds};

/// The time between two requests.
const INTERVAL: Duration = Duration::from_millis(10);
/// The request of the healthy client.
const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: attack.test\r\n\r\n";

/// The healthy client, which runs until it is [stopped](HealthyClient::stop).
pub struct HealthyClient {
    is_stopped: Arc<AtomicBool>,
    thread: JoinHandle<Health>,
}

/// What the healthy client has observed.
#[derive(Debug, Default, Clone)]
pub struct Health {
    /// The times of all responses.
    times: Vec<Duration>,
    /// The number of requests without a response.
    pub failures: usize,
}

impl HealthyClient {
    /// Starts the client. It has two connections and uses them in turns, because a server distributes connections among
    /// its worker threads, and each worker must stay responsive.
    pub fn start(target: Target) -> Result<Self> {
        let mut connections = [target.connect()?, target.connect()?];
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_stopped);
        let thread = thread::spawn(move || {
            pin_thread(HEALTHY_CORE);
            let mut health = Health::default();
            for turn in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let begun = Instant::now();
                let connection = &mut connections[turn % 2];
                if request_health(connection) {
                    health.times.push(begun.elapsed());
                } else {
                    health.times.push(begun.elapsed().max(TIMEOUT));
                    health.failures += 1;
                    if let Ok(opened) = target.connect() {
                        *connection = opened;
                    }
                }
                thread::sleep(INTERVAL.saturating_sub(begun.elapsed()));
            }
            health
        });
        Ok(Self { is_stopped, thread })
    }

    /// Stops the client, and returns what it has observed.
    pub fn stop(self) -> Health {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// Requests `/healthz`. Returns `true` if the response arrives in time.
fn request_health(connection: &mut Connection) -> bool {
    connection.request(REQUEST, false).is_ok_and(|response| response.status == 200)
}

impl Health {
    /// Returns the number of responses.
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// Returns the time within which 99 of 100 responses arrived, in milliseconds.
    pub fn p99_milliseconds(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        let index = (times.len() * 99).div_ceil(100).saturating_sub(1);
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    }
}

/// Measures what one request of the healthy client costs the server, in seconds of processor time, and returns also
/// what the client observes without an attack.
pub fn measure_without_attack(target: Target, process: u32) -> Result<(f64, Health)> {
    /// The number of requests. The system counts processor time in steps of 10 ms, which are small for this number.
    const REQUESTS: u32 = 10_000;
    let client = HealthyClient::start(target)?;
    thread::sleep(Duration::from_secs(2));
    let health = client.stop();
    let mut connection = target.connect()?;
    let before = processor_seconds(process)?;
    for _ in 0..REQUESTS {
        if !request_health(&mut connection) {
            return Err("the server does not respond to requests for /healthz".into());
        }
    }
    Ok(((processor_seconds(process)? - before) / f64::from(REQUESTS), health))
}
