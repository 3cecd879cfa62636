//! Records where the rulebook server spends its processor time, and writes it as a flame graph.

use std::error::Error;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use super::server::{ServerKind, ServerPair};
use super::{Settings, run_round};
use crate::cases::Case;

/// The number of samples per second. It differs from the frequencies of timers in the server.
const SAMPLES_PER_SECOND: &str = "997";
/// The duration of the recording, in seconds.
const SECONDS: u32 = 10;

/// Profiles a case, and returns the path of the flame graph.
pub fn write_flame_graph(case: Case, settings: &Settings) -> Result<PathBuf, Box<dyn Error>> {
    let pair = ServerPair::start(case.served_content())?;
    let server = pair.server(ServerKind::Rulebook);
    let folder = tempfile::tempdir()?;
    let [samples, stacks] = ["samples", "stacks"].map(|name| folder.path().join(name));
    let process = server.process_id().to_string();
    let settings = Settings { seconds: SECONDS, ..settings.clone() };

    thread::scope(|scope| {
        let recording = scope.spawn(|| {
            let mut perf = Command::new("perf");
            perf.args(["record", "--quiet", "--event", "cpu-clock:u", "--freq", SAMPLES_PER_SECOND]);
            // The frames are found by the unwinding information, because the program has no frame pointers.
            perf.args(["--call-graph", "dwarf,16384", "--pid", &process, "--output"]).arg(&samples);
            run_program(perf.args(["--", "sleep", &(SECONDS - 1).to_string()]))
        });
        run_round(case, server, &settings).map_err(|error| error.to_string())?;
        recording.join().map_err(|_| "the recording panicked".to_owned())?
    })?;

    let mut script = Command::new("perf").args(["script", "--input"]).arg(&samples).stdout(Stdio::piped()).spawn()?;
    let output = script.stdout.take().ok_or("perf has no output")?;
    run_program(Command::new("inferno-collapse-perf").stdin(output).stdout(File::create(&stacks)?))?;
    script.wait()?;
    let path = PathBuf::from(format!("target/profile-{}.svg", case.name()));
    fs::create_dir_all("target")?;
    let mut draw = Command::new("inferno-flamegraph");
    run_program(draw.args(["--title", case.title()]).arg(&stacks).stdout(File::create(&path)?))?;
    Ok(path)
}

/// Runs a program until it ends. Fails if the program is missing or fails.
fn run_program(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("cannot start {name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed with {status}")) }
}
