//! Starts and stops programs on a core of the processor.

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Maximum time until a started program is ready.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum time until a program ends after the signal.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The time between two checks of a condition.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// A running program. It ends when this value is dropped, or when the benchmark program ends.
pub struct Process {
    title: String,
    child: Child,
}

impl Process {
    /// Starts a program on this core of the processor.
    pub fn spawn(title: &str, core: usize, command: &Command) -> Result<Self, Box<dyn Error>> {
        // setpriv lets the kernel send a signal to the program when the benchmark program ends.
        let mut pinned = Command::new("taskset");
        pinned.args(["--cpu-list", &core.to_string(), "setpriv", "--pdeathsig=INT"]);
        pinned.arg(command.get_program()).args(command.get_args());
        pinned.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            pinned.current_dir(folder);
        }
        let child = pinned.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("cannot start taskset: {error}"))?;
        Ok(Self { title: title.to_owned(), child })
    }

    /// Starts the server of the benchmark program to which the handlers of the kind `http` send requests.
    pub fn start_upstream(core: usize, address: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["upstream", "--attached", "--bind", &address.to_string()]);
        let mut process = Self::spawn("upstream", core, &command)?;
        process.wait_until_it_listens(address)?;
        Ok(process)
    }

    /// Returns the id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the standard output of the program, if it was not read before.
    pub fn stdout(&mut self) -> Option<&mut ChildStdout> {
        self.child.stdout.as_mut()
    }

    /// Waits until the program accepts connections.
    pub fn wait_until_it_listens(&mut self, address: SocketAddr) -> Result<(), Box<dyn Error>> {
        self.wait_until(|| TcpStream::connect(address).is_ok())
    }

    /// Waits until a condition of the program is true.
    ///
    /// # Errors
    /// Fails if the program ends, or the condition does not become true in time.
    pub fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> Result<(), Box<dyn Error>> {
        let begun = Instant::now();
        while !is_ready() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server {} did not start: {status}", self.title).into());
            }
            if begun.elapsed() > START_TIMEOUT {
                return Err(format!("the server {} does not listen after {START_TIMEOUT:?}", self.title).into());
            }
            thread::sleep(CHECK_INTERVAL);
        }
        Ok(())
    }

    /// Asks the program to end, and waits until it has ended.
    pub fn end(&mut self) {
        // The signal lets php-fpm and PostgreSQL end their other processes.
        if let Ok(None) = self.child.try_wait()
            && let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
        {
            let begun = Instant::now();
            let _ = kill_process(id, Signal::INT);
            while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < STOP_TIMEOUT {
                thread::sleep(CHECK_INTERVAL);
            }
        }
    }

    /// Ends the program at once.
    pub fn kill(&mut self) {
        // Killing fails if the program has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        self.kill();
    }
}

/// Returns an address on which no program was listening a moment ago.
pub fn free_address() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
