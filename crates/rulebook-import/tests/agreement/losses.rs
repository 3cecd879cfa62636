//! The losses that an import has reported.

use std::collections::HashSet;

/// The places of losses because of which a definition accepts other values than its description.
pub struct Losses {
    more: HashSet<String>,
    fewer: HashSet<String>,
    /// All lines.
    pub lines: Vec<String>,
}

impl Losses {
    pub fn new(text: &str) -> Self {
        let places = |effect: &str| {
            let mark = format!(", {effect}: ");
            let rest = |line: &'_ str| line.split_once(&mark).map(|(_, rest)| rest.to_owned());
            // A place can contain the characters after it, too.
            let places =
                |rest: String| rest.match_indices(": ").map(|(end, _)| rest[..end].to_owned()).collect::<Vec<_>>();
            text.lines().filter_map(rest).flat_map(places).collect()
        };
        let lines = text.lines().map(str::to_owned).collect();
        Self { more: places("accepts more"), fewer: places("accepts fewer"), lines }
    }

    /// Returns `true` if a loss says that the definition accepts more values at one of the places.
    pub fn widens<'p>(&self, places: impl IntoIterator<Item = &'p String>) -> bool {
        places.into_iter().any(|place| self.more.contains(place))
    }

    /// Returns `true` if a loss says that the definition accepts more values in the value at a place.
    pub fn widens_within(&self, place: &str) -> bool {
        self.more.iter().any(|loss| loss.strip_prefix(place).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Returns `true` if a loss says that the definition accepts fewer values at one of the places.
    pub fn narrows(&self, places: &HashSet<String>) -> bool {
        self.fewer.iter().any(|place| places.contains(place))
    }

    /// Returns `true` if a loss is at one of the places.
    pub fn names(&self, places: &[String]) -> bool {
        let at = |line: &String| places.iter().any(|place| line.contains(&format!(": {place}: ")));
        self.lines.iter().any(at)
    }

    /// Returns the name in the definition of the schema with a key.
    pub fn schema_name(&self, key: &str) -> String {
        let place = format!("name: /components/schemas/{}: the schema is called `", super::source::escape(key));
        let renamed = self.lines.iter().find_map(|line| line.strip_prefix(&place)?.strip_suffix('`'));
        renamed.unwrap_or(key).to_owned()
    }
}
