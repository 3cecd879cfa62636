//! Environment variables in the settings of handlers, so that a definition does not contain credentials and addresses
//! of machines.

use rulebook_model::span::Span;

use super::HandlerError;

/// Replaces each `${NAME}` in a setting by the value of this environment variable, and each `${NAME:-default}`, if the
/// variable is not set or empty, by the default. `span` is the span of the text.
///
/// # Errors
/// Fails if a variable is not set and has no default, or a brace is not closed. The errors contain no values.
pub fn expand_variables(text: &str, span: Span) -> Result<String, HandlerError> {
    expand(text, |name| std::env::var(name).ok()).map_err(|error| error.at(span))
}

fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, HandlerError> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inner, after) = after.split_once('}').unwrap_or_default();
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inner, None),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let error = HandlerError::new("`${` must be followed by the name of an environment variable and `}`");
            return Err(error.help("write `${NAME}`, or `${NAME:-default}`"));
        }
        let Some(value) = variable(name).filter(|value| !value.is_empty()).or(default) else {
            let error = HandlerError::new(format!("the environment variable `{name}` is not set"));
            return Err(error.help(format!("set it, or write a default: `${{{name}:-default}}`")));
        };
        expanded.push_str(before);
        expanded.push_str(&value);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let variable = |name: &str| match name {
            "PASSWORD" => Some("se}cret".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let expand = |text| expand(text, variable).map_err(|error| error.message);
        let missing = |name: &str| Err(format!("the environment variable `{name}` is not set"));
        let syntax = Err("`${` must be followed by the name of an environment variable and `}`".to_owned());
        assert_eq!(expand("postgres://a:${PASSWORD}@host/b"), Ok("postgres://a:se}cret@host/b".to_owned()));
        assert_eq!(expand("${OTHER:-sqlite:notes.db}"), Ok("sqlite:notes.db".to_owned()));
        assert_eq!(expand("${EMPTY:-x}${PASSWORD:-y}"), Ok("xse}cret".to_owned()));
        assert_eq!(expand("${OTHER}"), missing("OTHER"));
        assert_eq!(expand("${EMPTY}"), missing("EMPTY"));
        assert_eq!(expand("${OTHER"), syntax);
        assert_eq!(expand("${a b}"), syntax);
        assert_eq!(expand("sqlite:$a"), Ok("sqlite:$a".to_owned()));
    }
}
