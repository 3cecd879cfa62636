//! Options whose value is one of a few words.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A value of an option: its word, its description in the help, which can be empty, and what it means.
pub(super) type Choice<T> = (&'static str, &'static str, T);

/// Returns a parser for the words of these choices.
pub(super) fn choice_parser<T>(choices: &'static [Choice<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let words = choices.iter().map(|(word, help, _)| match help.is_empty() {
        true => PossibleValue::new(*word),
        false => PossibleValue::new(*word).help(*help),
    });
    PossibleValuesParser::new(words).try_map(|given| {
        let choice = choices.iter().find(|(word, ..)| word.eq_ignore_ascii_case(&given));
        choice.map(|(.., value)| *value).ok_or("unknown word")
    })
}
