//! Refuses changes of the definition that break clients, while the server runs.

use std::fmt::Write;

use rulebook::Validated;
use rulebook_diff::{Change, Level, compare};
use rulebook_model::model::Api;

/// The maximum number of breaking changes that a refusal lists.
const MAX_LISTED: usize = 20;

/// Returns why a changed definition is not served: it has changes that break clients, and its major version is that of
/// the definition that is served.
pub(super) fn refusal(served: &Api, changed: &Validated) -> Option<String> {
    if major_version(&changed.api.version) > major_version(&served.version) {
        return None;
    }
    let changes = compare(served, &changed.api);
    let breaking: Vec<&Change> = changes.iter().filter(|change| change.kind.level() == Level::Breaking).collect();
    if breaking.is_empty() {
        return None;
    }
    let mut text = "the changed definition breaks clients, so that the previous one is still served\n".to_owned();
    for change in breaking.iter().take(MAX_LISTED) {
        let method = change.method.as_deref().unwrap_or("the API");
        let _ = writeln!(text, "  {method}: {} [{}]", change.message, change.kind);
        if let Some(witness) = &change.witness {
            let _ = writeln!(text, "    example: {witness}");
        }
    }
    if breaking.len() > MAX_LISTED {
        let _ = writeln!(text, "  and {} more: `rulebook diff` lists them", breaking.len() - MAX_LISTED);
    }
    text.push_str(
        "to serve it, run `rulebook reload --allow-breaking`, or raise the major number of `version` in app.json",
    );
    Some(text)
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
