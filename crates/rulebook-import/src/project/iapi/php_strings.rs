//! Finds string literals in PHP code, and converts regular expressions in them to patterns of file names.

/// A string literal.
#[derive(Debug)]
pub(super) struct Literal {
    /// The offset of the first quote in the code.
    pub offset: usize,
    /// The text between the quotes, with its escapes as in the code, except for `\'` and `\\`.
    pub text: String,
}

/// Returns the string literals in PHP code. Comments are skipped.
pub(super) fn string_literals(code: &str) -> Vec<Literal> {
    let mut literals = Vec::new();
    let mut at = 0;
    while let Some(char) = code[at..].chars().next() {
        let rest = &code[at..];
        at += if rest.starts_with("//") || char == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if matches!(char, '\'' | '"') {
            let (text, length) = read_literal(rest, char);
            literals.push(Literal { offset: at, text });
            length
        } else {
            char.len_utf8()
        };
    }
    literals
}

/// Reads the literal at the start of `code`. Returns its text, and its length with the quotes.
fn read_literal(code: &str, quote: char) -> (String, usize) {
    let mut text = String::new();
    let mut chars = code.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some((_, escaped)) if escaped == quote || escaped == '\\' => text.push(escaped),
                Some((_, other)) => text.extend(['\\', other]),
                None => break,
            },
            _ if char == quote => return (text, at + char.len_utf8()),
            _ => text.push(char),
        }
    }
    (text, code.len())
}

/// Returns the offset after the call whose opening parenthesis follows `start`.
pub(super) fn end_of_call(code: &str, literals: &[Literal], start: usize) -> usize {
    let mut depth = 0_usize;
    for (index, char) in code[start..].char_indices() {
        let at = start + index;
        // Parentheses in literals do not count. The length of a literal in the code is at least that of its text.
        if literals.iter().any(|literal| literal.offset < at && at <= literal.offset + literal.text.len()) {
            continue;
        }
        match char {
            '(' => depth += 1,
            ')' if depth <= 1 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Converts a regular expression of PHP that matches the beginning of a name, such as `/^public\//`, or a whole name,
/// to a pattern of file names. Returns `None` for other regular expressions.
pub(super) fn name_pattern(regex: &str) -> Option<String> {
    let delimiter = regex.chars().next().filter(char::is_ascii_punctuation)?;
    let body = regex.strip_prefix(delimiter)?.strip_suffix(delimiter)?.strip_prefix('^')?;
    let (body, is_whole) = body.strip_suffix('$').map_or((body, false), |body| (body, true));
    let prefix = body.strip_suffix(".*").or_else(|| body.strip_suffix(".+"));
    let (body, is_prefix) = prefix.map_or((body, !is_whole), |body| (body, true));
    let mut text = String::new();
    let mut chars = body.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.push(chars.next().filter(|char| "/.-_ ".contains(*char))?),
            _ if char.is_alphanumeric() || "/-_ ".contains(char) => text.push(char),
            _ => return None,
        }
    }
    match (is_prefix, text.ends_with('/')) {
        (true, true) if text.len() > 1 => Some(format!("{text}**")),
        (false, false) if !text.is_empty() => Some(text),
        _ => None,
    }
}
