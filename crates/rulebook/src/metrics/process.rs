//! The metrics of the process: CPU time, memory and open files, with the names that the client libraries of Prometheus
//! use. They are read from the file system `/proc` of Linux; other systems have no such metrics.

pub(super) struct ProcessMetric {
    /// The name of the metric, without the suffix `_total` of counters.
    pub(super) name: &'static str,
    /// `counter` or `gauge`.
    pub(super) metric_type: &'static str,
    pub(super) help: &'static str,
    pub(super) value: f64,
}

/// Returns the metrics of this process that the system provides.
#[cfg(target_os = "linux")]
pub(super) fn process_metrics() -> Vec<ProcessMetric> {
    use rustix::param::{clock_ticks_per_second, page_size};
    use rustix::process::{Resource, getrlimit};

    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field (proc_pid_stat(5)) is the name of the program in parentheses, and may contain spaces and
    // parentheses.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = behind_name.split_ascii_whitespace().collect();
    // The numbers of fields begin at 1, and the first of `fields` is the third one.
    let field = |number: usize| Some(fields.get(number - 3)?.parse::<u64>().ok()? as f64);
    let seconds = |ticks: f64| ticks / clock_ticks_per_second() as f64;
    let cpu = field(14).zip(field(15)).map(|(user, system)| seconds(user + system));
    let resident = field(24).map(|pages| pages * page_size() as f64);
    let start = boot_time().zip(field(22)).map(|(boot, start)| boot as f64 + seconds(start));
    let max_files = getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |max| max as f64);
    let metric = |name, metric_type, help, value: Option<f64>| {
        value.map(|value| ProcessMetric { name, metric_type, help, value })
    };
    let metrics = [
        metric("process_cpu_seconds", "counter", "User and system CPU time.", cpu),
        metric("process_resident_memory_bytes", "gauge", "Resident memory.", resident),
        metric("process_virtual_memory_bytes", "gauge", "Virtual memory.", field(23)),
        metric("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", start),
        metric("process_open_fds", "gauge", "Open file descriptors.", open_file_count().map(|count| count as f64)),
        metric("process_max_fds", "gauge", "Maximum number of open file descriptors.", Some(max_files)),
    ];
    metrics.into_iter().flatten().collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn process_metrics() -> Vec<ProcessMetric> {
    Vec::new()
}

/// Returns the time at which the system started, in seconds since 1970.
#[cfg(target_os = "linux")]
fn boot_time() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(target_os = "linux")]
fn open_file_count() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    // Since version 6.2 of Linux, the size of the folder is the number of its entries.
    let size = std::fs::metadata(FOLDER).ok()?.len();
    if size > 0 { Some(size) } else { Some(std::fs::read_dir(FOLDER).ok()?.count() as u64) }
}
