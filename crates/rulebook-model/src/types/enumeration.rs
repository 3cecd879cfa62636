//! The type `enum(a|b|c)`: one word of a set of words that the definition lists.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, ArgumentErrorKind, Check, TypeArgument, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value, Violation, shorten_text};

const MAX_LISTED_WORDS: usize = 20;
const MAX_DESCRIBED_WORDS: usize = 500;

#[derive(Debug)]
struct EnumCheck {
    words: Vec<String>,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let words = words_in_term_or_range(arguments, "words", "enum(a|b|c)")?.unwrap_or_default();
    if arguments.attributes.get("range").is_some_and(Json::is_string) {
        return Err(arguments.error("`range` must be a list of words").at("range").help("write `[\"a\", \"b\"]`"));
    }
    let mut seen = HashSet::with_capacity(words.len());
    if let Some(word) = words.iter().find(|word| !seen.insert(word.as_str())) {
        return Err(arguments.error(format!("the word `{word}` occurs twice")));
    }
    let in_term = !arguments.positional.is_empty();
    if in_term && words.iter().any(String::is_empty) {
        return Err(arguments
            .error("a word of `enum` is empty")
            .help("to allow an empty text, write the words as a list in `range`"));
    }
    if words.is_empty() {
        let error = ArgumentError::new(ArgumentErrorKind::MissingRange, "`enum` requires the allowed words");
        return Err(error.help("write `enum(a|b|c)`, or the words as a list in `range`"));
    }
    Ok(Arc::new(EnumCheck { words }))
}

/// Returns the words in a term, separated by `|`, or in the attribute `range`.
pub(super) fn words_in_term_or_range(
    arguments: &TypeArguments<'_>,
    words: &str,
    example: &str,
) -> Result<Option<Vec<String>>, ArgumentError> {
    match (arguments.positional, arguments.texts("range")?) {
        ([], range) => Ok(range),
        ([TypeArgument::Word(words)], None) => Ok(Some(words.split('|').map(str::to_owned).collect())),
        (_, Some(_)) => {
            let error = arguments.error(format!("the {words} are given twice, in the term and in `range`"));
            Err(error.at("range").help("remove `range`"))
        }
        _ => {
            let name = arguments.name;
            let error = arguments.error(format!("`{name}` has one argument, {words} separated by `|`"));
            Err(error.help(format!("write `{example}`, or the {words} as a list in `range`")))
        }
    }
}

/// Returns `true` if a word can be written in the parentheses of a term. Other words must be in the attribute `range`.
pub(super) fn is_allowed_in_term(word: &str) -> bool {
    let is_special = |c: char| matches!(c, '|' | ',' | '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control();
    !word.is_empty() && !word.contains(is_special)
}

/// Returns the notation of a type with words, which are in the term if it can contain all of them.
pub(super) fn type_expr_of_words(name: &str, words: &[String]) -> TypeExpr {
    if words.iter().all(|word| is_allowed_in_term(word)) {
        return TypeExpr::term(format!("{name}({})", words.join("|")));
    }
    TypeExpr::term(name).with("range", Some(json!(words)))
}

impl EnumCheck {
    /// Returns the first words, with `…` if there are more.
    fn listed(&self, separator: &str) -> String {
        let listed = self.words[..self.words.len().min(MAX_LISTED_WORDS)].join(separator);
        if self.words.len() > MAX_LISTED_WORDS { format!("{listed}{separator}…") } else { listed }
    }
}

impl Check for EnumCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Text(text) if self.words.iter().any(|word| word == text) => Ok(()),
            Value::Text(text) => {
                let violation = Violation::NotAllowed { allowed: self.listed("/"), got: shorten_text(text) };
                Err(TypeMismatch::new(self.expected(), value).with_violation(violation))
            }
            _ => Err(TypeMismatch::new(self.expected(), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("one of {}", self.listed(", ")).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let described = &self.words[..self.words.len().min(MAX_DESCRIBED_WORDS)];
        let others = self.words.len() - described.len();
        let others = if others > 0 { format!(", or one of {others} others") } else { String::new() };
        format!("one of {}{others}", described.join(", ")).into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "enum": self.words })
    }

    fn type_expr(&self) -> TypeExpr {
        type_expr_of_words("enum", &self.words)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        // All words are boundary values, because the enum in a handler's argument type may lack any of them.
        self.words.iter().map(|word| Value::Text(Cow::Owned(word.clone()))).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let word = self.words.iter().find(|word| !word.is_empty()).or(self.words.first())?;
        Some(Value::Text(Cow::Owned(word.clone())))
    }
}
