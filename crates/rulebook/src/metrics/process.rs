//! The metrics of the process: CPU time, memory and open files, with the names that the client libraries of Prometheus
//! use. They are read from the file system `/proc` of Linux; other systems have no such metrics.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::ProcessMetric;

/// Returns the metrics of this process that the system provides.
pub(super) fn process_metrics() -> Vec<ProcessMetric> {
    let gauge = |name, unit, help, value| ProcessMetric { name, metric_type: "gauge", unit, help, value };
    let mut metrics = Vec::with_capacity(6);
    if let Some(stat) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(Stat::parse) {
        let ticks = clock_ticks_per_second() as f64;
        metrics.push(ProcessMetric {
            metric_type: "counter",
            ..gauge("process_cpu_seconds", "seconds", "User and system CPU time.", stat.cpu_ticks as f64 / ticks)
        });
        let memory = stat.resident_pages as f64 * page_size() as f64;
        metrics.push(gauge("process_resident_memory_bytes", "bytes", "Resident memory.", memory));
        metrics.push(gauge("process_virtual_memory_bytes", "bytes", "Virtual memory.", stat.virtual_bytes as f64));
        if let Some(boot) = boot_time() {
            let start = boot as f64 + stat.start_ticks as f64 / ticks;
            let help = "Start of the process, in seconds since 1970.";
            metrics.push(gauge("process_start_time_seconds", "seconds", help, start));
        }
    }
    if let Some(open) = open_file_count() {
        metrics.push(gauge("process_open_fds", "", "Open file descriptors.", open as f64));
    }
    let max = getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |max| max as f64);
    metrics.push(gauge("process_max_fds", "", "Maximum number of open file descriptors.", max));
    metrics
}

/// The fields of `/proc/self/stat` (proc_pid_stat(5)) from which the metrics are computed.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the name of the program in parentheses, and may contain spaces and parentheses.
        let (_, behind_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = behind_name.split_ascii_whitespace().collect();
        // The numbers of fields begin at 1, and the first of `fields` is the third one.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// Returns the time at which the system started, in seconds since 1970.
fn boot_time() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

/// Returns the number of open file descriptors.
fn open_file_count() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    // Since version 6.2 of Linux, the size of the folder is the number of its entries.
    let size = fs::metadata(FOLDER).ok()?.len();
    if size > 0 { Some(size) } else { Some(fs::read_dir(FOLDER).ok()?.count() as u64) }
}

#[cfg(test)]
mod tests {
    use super::Stat;

    #[test]
    fn the_name_of_a_program_can_contain_parentheses_and_spaces() {
        let text =
            "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 3 0 777 1048576 256 18446744073709551615";
        let expected = Stat { cpu_ticks: 200, start_ticks: 777, virtual_bytes: 1_048_576, resident_pages: 256 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("42 (a) S 1"), None);
    }
}
