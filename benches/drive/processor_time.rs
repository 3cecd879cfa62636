//! The processor time that a server process has used.

use std::error::Error;
use std::fs;
use std::ops::Sub;

/// The processor time of a process, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcessorTime {
    /// The time in the code of the program.
    pub user: f64,
    /// The time in the kernel on behalf of the program.
    pub system: f64,
}

impl ProcessorTime {
    /// Reads the time that a process has used since its start (proc_pid_stat(5)).
    pub fn of_process(process: u32) -> Result<Self, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name of the program is in parentheses, and may contain spaces and parentheses.
        let (_, after_name) = stat.rsplit_once(')').ok_or("/proc has no statistics of the process")?;
        let mut fields = after_name.split_whitespace().skip(11);
        let mut seconds = || -> Result<f64, Box<dyn Error>> {
            let ticks: u64 = fields.next().ok_or("/proc has no processor time of the process")?.parse()?;
            Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
        };
        Ok(Self { user: seconds()?, system: seconds()? })
    }

    /// Divides the time by a number of requests. The result is in microseconds.
    pub fn per_request(self, requests: f64) -> Self {
        let micros = |seconds: f64| seconds * 1e6 / requests;
        Self { user: micros(self.user), system: micros(self.system) }
    }
}

impl Sub for ProcessorTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }
}
