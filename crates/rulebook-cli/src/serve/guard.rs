//! Refuses changes of the definition that break clients, while the server runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rulebook::Validated;
use rulebook::usage::{ANONYMOUS, OTHER, USERS, UsageCounts};
use rulebook_diff::{Change, ChangeKind, Level, compare};
use rulebook_model::model::{Api, Method, Parameter};
use rulebook_model::span::Span;

use crate::output;

/// The maximum number of breaking changes that a rejection lists.
const MAX_LISTED: usize = 20;
/// The maximum number of callers that are listed for a change.
const MAX_CALLERS: usize = 10;

/// A change whose comparison takes longer is refused.
const MAX_TIME: Duration = Duration::from_secs(60);
/// The time between two looks whether the server has stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(200);

/// Returns why a changed definition is not served: it has changes that break clients, and its major version is that of
/// the definition that is served. `usage` returns who has used which methods today, and `has_stopped` whether the
/// result is not needed any more.
pub(super) fn rejection(
    served: &Api,
    changed: &Validated,
    has_stopped: &dyn Fn() -> bool,
    usage: impl FnOnce() -> UsageCounts,
) -> Option<String> {
    if major_version(&changed.api.version) > major_version(&served.version) {
        return None;
    }
    let changes = match compare_apart(served.clone(), changed.api.clone(), has_stopped) {
        Ok(changes) => changes,
        Err(why) => {
            return Some(format!(
                "the changed definition could not be compared, because {why}, so that the previous one is still \
                 served\nto serve it, run `rulebook reload --allow-breaking`"
            ));
        }
    };
    let breaking: Vec<&Change> = changes.iter().filter(|change| change.kind.level() == Level::Breaking).collect();
    if breaking.is_empty() {
        return None;
    }
    let usage = usage();
    let mut text = "the changed definition breaks clients, so that the previous one is still served\n".to_owned();
    for change in breaking.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "  {change}");
        let _ = writeln!(text, "    {}", used_today(served, change, &usage));
    }
    if breaking.len() > MAX_LISTED {
        let _ = writeln!(text, "  and {} more: `rulebook diff` lists them", breaking.len() - MAX_LISTED);
    }
    text.push_str(
        "to serve it, run `rulebook reload --allow-breaking`, or raise the major number of `version` in app.json",
    );
    Some(text)
}

/// Compares definitions in another thread, so that neither a failure nor a long comparison ends or holds the server.
fn compare_apart(served: Api, changed: Api, has_stopped: &dyn Fn() -> bool) -> Result<Vec<Change>, &'static str> {
    let (sender, compared) = channel();
    // Sending fails if this function has ended before.
    let compare = move || drop(sender.send(compare(&served, &changed)));
    let thread = thread::Builder::new().name("compare".to_owned()).spawn(compare);
    thread.map_err(|_| "no thread can be started")?;
    let started = Instant::now();
    loop {
        match compared.recv_timeout(STOP_INTERVAL) {
            Ok(changes) => return Ok(changes),
            Err(RecvTimeoutError::Disconnected) => return Err("this program has failed"),
            Err(RecvTimeoutError::Timeout) if has_stopped() => return Err("the server has stopped"),
            Err(RecvTimeoutError::Timeout) if started.elapsed() > MAX_TIME => return Err("it takes too long"),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Returns who has sent the parameter of a change, who has called its method, or who has called any method if the
/// change concerns the whole API.
fn used_today(served: &Api, change: &Change, usage: &UsageCounts) -> String {
    let mut methods = served.methods().map(|(.., method)| method);
    let method = methods.find(|method| Some(&method.id) == change.method_id.as_ref());
    let parameter = method.and_then(|method| sent_parameter(method, change));
    let (what, callers) = match (method, parameter) {
        (Some(method), Some(parameter)) => ("sent", usage.callers_of(&method.id, Some(&parameter.name))),
        (Some(method), None) => ("called", usage.callers_of(&method.id, None)),
        (None, _) => ("methods called", callers_of_all(usage)),
    };
    // The counts are those of a method in all versions.
    let versions = if served.versions.is_some() { ", in all versions" } else { "" };
    format!("{what} today{versions}: {}", in_words(&callers))
}

/// Returns the parameter of a change that breaks those who send it. If it becomes required, it breaks the others; those
/// who send a required parameter are all callers of the method.
fn sent_parameter<'a>(method: &'a Method, change: &Change) -> Option<&'a Parameter> {
    let name = change.parameter.as_deref().filter(|_| change.kind != ChangeKind::ParameterRequired)?;
    // Parameters at several places of a request can have the same name.
    let is_at = |span: Span| change.old.is_some_and(|old| (old.file, old.start) == (span.file, span.start));
    let mut named = method.parameters.iter().filter(|parameter| parameter.request_name() == name);
    named.find(|parameter| is_at(parameter.span) || is_at(parameter.type_span)).filter(|parameter| parameter.optional)
}

/// Returns how often each caller has called any method, in descending order.
fn callers_of_all(usage: &UsageCounts) -> Vec<(&str, u64)> {
    let mut sums = BTreeMap::new();
    for (caller, _, method) in usage.iter() {
        *sums.entry(caller).or_insert(0u64) += method.requests;
    }
    let mut callers: Vec<_> = sums.into_iter().collect();
    callers.sort_by_key(|(_, count)| Reverse(*count));
    callers
}

fn in_words(callers: &[(&str, u64)]) -> String {
    let words = callers.iter().take(MAX_CALLERS).map(|(caller, count)| {
        let times = output::count_with_noun(usize::try_from(*count).unwrap_or(usize::MAX), "time");
        match *caller {
            ANONYMOUS => format!("{times} without a credential"),
            USERS => format!("{times} by users"),
            OTHER => format!("{times} by other keys"),
            key => format!("{times} by `{key}`"),
        }
    });
    let mut words: Vec<String> = words.collect();
    if callers.len() > MAX_CALLERS {
        words.push(format!("and by {} more", callers.len() - MAX_CALLERS));
    }
    if words.is_empty() { "never".to_owned() } else { words.join(", ") }
}

/// Returns the first number of a version, such as 2 in `2.1.0`; 0 if it has none.
fn major_version(version: &str) -> u64 {
    let digits: String = version.trim_start_matches('v').chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn the_major_version_is_the_first_number() {
        let versions = ["2.1.0", "v10", "1", "draft", ""].map(major_version);
        assert_eq!(versions, [2, 10, 1, 0, 0]);
    }
}
