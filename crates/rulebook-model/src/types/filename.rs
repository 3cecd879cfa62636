//! The type `filename`: the name of a stored file, with a path relative to the folder of all stored files. The
//! definition can list *patterns* such as `public/**`, of which a name must match at least one.
//!
//! Every name that passes the check is valid against the JSON Schema, but the JSON Schema also accepts some other
//! names, because it can describe the syntax of names and the patterns only approximately: parts of more than 255
//! bytes, rare invisible characters, and names with non-ASCII characters in place of wildcards.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::check::{first_valid_value, keep_valid_values};
use super::enumeration::{type_expr_of_words, words_in_term_or_range};
use super::pattern::file_name_patterns::{self, FileNameRegexes};
use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};
use crate::filename::{FileName, FilePatterns, PatternError, pattern_to_regex};

#[derive(Debug)]
struct FileNameCheck {
    /// The patterns as the definition writes them. If the list is empty, every file name is valid.
    globs: Vec<String>,
    patterns: FilePatterns,
    /// The regular expression in the JSON Schema; `None` without patterns, or if it would be too long.
    schema_pattern: Option<String>,
    /// Generated names, each of which probably matches a pattern.
    sample_names: Vec<String>,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let globs = words_in_term_or_range(arguments, "patterns", "filename(public/**|cache/*.json)")?.unwrap_or_default();
    let error = |error: PatternError| {
        let error = arguments.error(error.to_string());
        if arguments.positional.is_empty() { error.at("range") } else { error }
    };
    let patterns = FilePatterns::new(&globs).map_err(error)?;
    if globs.is_empty() {
        return Ok(Arc::new(FileNameCheck { globs, patterns, schema_pattern: None, sample_names: Vec::new() }));
    }
    let regexes =
        globs.iter().map(|pattern| pattern_to_regex(pattern)).collect::<Result<Vec<_>, _>>().map_err(error)?;
    let parsed = FileNameRegexes::parse(regexes.iter().map(String::as_str));
    let schema_pattern = parsed.as_ref().and_then(FileNameRegexes::ecma_pattern);
    let sample_names = parsed.iter().flat_map(FileNameRegexes::sample_names).take(MAX_SAMPLE_NAMES).collect();
    Ok(Arc::new(FileNameCheck { globs, patterns, schema_pattern, sample_names }))
}

const MAX_SAMPLE_NAMES: usize = 16;

/// Returns a readable name that possibly matches a pattern, by replacing each wildcard with a word.
fn readable_name(pattern: &str) -> String {
    let name = match pattern.strip_suffix("**").or_else(|| pattern.strip_suffix('*')) {
        Some(folder) => format!("{folder}report.txt"),
        None => pattern.to_owned(),
    };
    name.replace("**", "folder").replace('*', "report").replace('?', "1")
}

impl Check for FileNameCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Text(text) = value else { return Err(TypeMismatch::new(self.expected(), value)) };
        match FileName::parse(text) {
            Ok(name) if !self.globs.is_empty() && !self.patterns.allows(&name) => {
                Err(TypeMismatch::new(self.expected(), value))
            }
            Ok(name) => {
                if name.as_str() != text {
                    *text = Cow::Owned(name.to_string());
                }
                Ok(())
            }
            Err(error) => Err(TypeMismatch::new(format!("a file name ({error})"), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        if self.globs.is_empty() {
            return "a file name, with `/` between folders".into();
        }
        format!("a file name that matches {}", self.globs.join(" or ")).into()
    }

    fn schema(&self) -> Json {
        // `maxLength` counts characters, but the check counts bytes. A name never has more characters than bytes, so
        // this limit rejects no valid name.
        let any = file_name_patterns::any_file_name_pattern();
        let mut schema = json!({ "type": "string", "minLength": 1, "maxLength": FileName::MAX_LEN, "pattern": any });
        // Without `type`, null would be a device if the type is `?filename`.
        schema["not"] = json!({ "type": "string", "pattern": file_name_patterns::device_pattern() });
        if let Some(pattern) = &self.schema_pattern {
            schema["pattern"] = json!(pattern);
            schema["allOf"] = json!([{ "pattern": any }]);
        }
        schema
    }

    fn has_exact_schema(&self) -> bool {
        false
    }

    fn type_expr(&self) -> TypeExpr {
        if self.globs.is_empty() { TypeExpr::term("filename") } else { type_expr_of_words("filename", &self.globs) }
    }

    fn can_check_early(&self) -> bool {
        true
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let general = ["a", "./folder/é.txt"].map(|name| Value::Text(name.into()));
        let samples = self.sample_names.iter().map(|name| Value::Text(name.clone().into()));
        keep_valid_values(self, general.into_iter().chain(samples).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let readable = self.globs.iter().map(|pattern| readable_name(pattern));
        let names = readable.chain(["folder/report.txt".to_owned()]).chain(self.sample_names.iter().cloned());
        first_valid_value(self, names.map(|name| Value::Text(name.into())))
    }
}
