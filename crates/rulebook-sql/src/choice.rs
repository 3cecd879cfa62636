//! Parts of statements that a parameter chooses from a list: `"choose": {"order": {"price": "price, id"}}`.

use std::sync::Arc;

use rulebook::handler_kind::settings::{object, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonMember, JsonNode};
use rulebook::types::{Check, Structure, Value};
use rulebook_model::model::Parameter;

use crate::names::{Names, named_parameter};
use crate::value::SqlValue;

pub(crate) const CHOOSE: &str = "choose";

/// The maximum number of texts of one statement: of the combinations of its fragments. Each is prepared at start.
pub(crate) const MAX_COMBINATIONS: usize = 64;

/// A parameter that chooses a fragment.
pub(crate) struct Choice {
    /// The name of the parameter in code.
    pub name: String,
    /// The index of its value.
    value: usize,
    /// The words with their fragments. If the parameter can be missing, the first one is its absence.
    options: Vec<(Option<String>, Option<Arc<JsonNode>>)>,
}

impl Choice {
    pub(crate) fn read(
        method: &HandledMethod<'_>,
        names: &mut Names<'_, '_>,
        errors: &mut Vec<HandlerError>,
    ) -> Vec<Self> {
        let Some(node) = method.optional_setting(CHOOSE) else { return Vec::new() };
        let members = object(node, CHOOSE).map_err(|error| errors.push(error)).unwrap_or_default();
        let mut choices = Vec::new();
        for member in members {
            match Self::of_parameter(method, member, names) {
                Ok(choice) => choices.push(choice),
                Err(found) => errors.extend(found),
            }
        }
        choices
    }

    fn of_parameter(
        method: &HandledMethod<'_>,
        JsonMember { key, value: node }: &JsonMember,
        names: &mut Names<'_, '_>,
    ) -> Result<Self, Vec<HandlerError>> {
        let parameter = named_parameter(method, key).map_err(|error| vec![error])?;
        let Some(words) = words(&*parameter.r#type.check) else {
            let message = format!("`{}` chooses a part of a statement, so that it must be an `enum`", key.value);
            let help = "write its type as `enum(…)` with the names of the parts";
            return Err(vec![HandlerError::new(message).at(key.span).help(help)]);
        };
        let fragments = object(node, &key.value).map_err(|error| vec![error])?;
        let mut errors = Vec::new();
        for JsonMember { key: word, value } in &fragments {
            if !words.contains(&word.value) {
                let message = format!("`{}` is never `{}`", key.value, word.value.escape_debug());
                let known: Vec<_> = words.iter().map(String::as_str).collect();
                errors.push(HandlerError::new(message).at(word.span).suggest(&word.value, "words", &known));
            }
            if !matches!(value.data, JsonData::String(_)) {
                errors.push(wrong_value(value, &word.value, "a part of a statement, as a string"));
            }
        }
        let mut options = Vec::new();
        if may_be_missing(parameter) {
            options.push((None, None));
        }
        for word in words {
            match fragments.iter().find(|fragment| fragment.key.value == word) {
                Some(fragment) => options.push((Some(word), Some(Arc::new(fragment.value.clone())))),
                None => {
                    let message =
                        format!("`{}` can be `{word}`, for which there is no part of the statement", key.value);
                    errors.push(
                        HandlerError::new(message).at(key.span).help("add it here, or remove it from the `enum`"),
                    );
                }
            }
        }
        let value = names.index_of(&key.value).map_err(|error| vec![error.at(key.span)])?;
        if errors.is_empty() { Ok(Self { name: key.value.clone(), value, options }) } else { Err(errors) }
    }

    /// Returns the number of fragments, with the empty one of a missing parameter.
    pub(crate) fn len(&self) -> usize {
        self.options.len()
    }

    pub(crate) fn fragment(&self, index: usize) -> Option<&Arc<JsonNode>> {
        self.options.get(index)?.1.as_ref()
    }

    /// Returns the index of the fragment that the values of a call choose.
    pub(crate) fn chosen(&self, values: &[SqlValue]) -> usize {
        let word = match &values[self.value] {
            SqlValue::Text(word) => Some(word.as_str()),
            _ => None,
        };
        // The check of the parameter accepts no other words.
        self.options.iter().position(|(known, _)| known.as_deref() == word).unwrap_or_default()
    }

    pub(crate) fn describe(&self, index: usize) -> String {
        match self.options.get(index) {
            Some((Some(word), _)) => format!("`{}` is `{word}`", self.name),
            _ => format!("`{}` is missing", self.name),
        }
    }
}

/// Returns the index of the fragment of each choice in a combination.
pub(crate) fn combination(choices: &[&Choice], mut index: usize) -> Vec<usize> {
    let digits = choices.iter().map(|choice| {
        let digit = index % choice.len();
        index /= choice.len();
        digit
    });
    digits.collect()
}

fn may_be_missing(parameter: &Parameter) -> bool {
    let accepts_null = parameter.r#type.check.checked(Value::Null).is_ok();
    accepts_null || (parameter.optional && parameter.default.is_none())
}

fn words(check: &dyn Check) -> Option<Vec<String>> {
    match check.structure() {
        Structure::Nullable(inner) => words(&*inner),
        Structure::Schema(schema) => words(&*schema.check),
        _ => {
            let schema = check.schema();
            let words = schema.get("enum")?.as_array()?.iter().map(|word| word.as_str().map(str::to_owned));
            words.collect()
        }
    }
}

/// Returns the errors of choices that no statement uses.
pub(crate) fn unused(choices: &[Choice], marks: &[String], setting: Option<&JsonNode>) -> Vec<HandlerError> {
    let members = setting.and_then(|node| object(node, CHOOSE).ok()).unwrap_or_default();
    let unused = members.into_iter().filter(|member| {
        let name = &member.key.value;
        choices.iter().any(|choice| choice.name == *name) && !marks.contains(name)
    });
    let error = |member: &JsonMember| {
        let mark = format!("/*{}*/", member.key.value);
        let error = HandlerError::new(format!("no statement contains `{mark}`")).at(member.key.span);
        error.help("write this comment where the part of the statement belongs")
    };
    unused.map(error).collect()
}
