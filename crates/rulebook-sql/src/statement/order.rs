//! Finds parameters as keys of an `order by`: their value is the same for all rows, so that it does not name a column.

use std::ops::Range;

use super::tokens::{Tokens, is_name_part};

/// The words that can follow a key of an `order by`. After other words, such as `in`, the key is longer.
const AFTER_ORDER_KEY: [&str; 15] = [
    "asc",
    "desc",
    "nulls",
    "collate",
    "limit",
    "offset",
    "fetch",
    "for",
    "rows",
    "range",
    "groups",
    "union",
    "except",
    "intersect",
    "window",
];

impl Tokens {
    /// Returns the parameters by whose values the rows are ordered: each is a whole key of an `order by`. Only keys at
    /// the beginning, or after names of columns, are found.
    pub fn order_parameters<'a>(&'a self, sql: &'a str) -> impl Iterator<Item = &'a Range<usize>> {
        self.parameters.iter().filter(|parameter| {
            let ends = |rest: &str| rest.is_empty() || rest.starts_with([',', ')', ';']);
            let follows = sql[parameter.end..].trim_start();
            let next = self.words.iter().find(|(_, word)| word.start >= parameter.end);
            let is_key = match next.filter(|(_, word)| word.start == sql.len() - follows.len()) {
                Some((word, _)) => AFTER_ORDER_KEY.contains(&word.as_str()),
                None => ends(follows),
            };
            is_key
                && self.order_keys_before(sql, parameter.start).is_some_and(|keys| {
                    let keys = keys.trim();
                    keys.is_empty() || keys.ends_with(',')
                })
        })
    }

    /// Returns the text between the last `order by` and a place, if it consists of names of columns.
    fn order_keys_before<'a>(&self, sql: &'a str, place: usize) -> Option<&'a str> {
        let before = self.words.partition_point(|(_, word)| word.end <= place);
        let is_order = |pair: &[(String, Range<usize>)]| pair[0].0 == "order" && pair[1].0 == "by";
        let by = self.words[..before].windows(2).rposition(is_order)? + 1;
        let keys = &sql[self.words[by].1.end..place];
        let is_name = |c: char| is_name_part(c) || c.is_whitespace() || matches!(c, '.' | ',');
        let goes_on = self.words[by + 1..before].iter().all(|(word, _)| word != "limit");
        (goes_on && keys.chars().all(is_name)).then_some(keys)
    }
}
