//! Converts names of the definition to identifiers of Rust code.

use rulebook_model::distinct_names::{candidates, distinct_names};

/// The strict and reserved keywords of Rust, in all editions.
pub const RUST_KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Converts a name to an identifier in snake case, such as `get_base_info` for `getBaseInfo`. If the name contains no
/// letter or digit of ASCII, the result is `fallback`.
#[must_use]
pub fn snake_case(name: &str, fallback: &str) -> String {
    let mut result = String::new();
    let mut previous = '_';
    for char in name.chars() {
        let is_part = char.is_ascii_alphanumeric();
        let begins_word = char.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit());
        if (!is_part || begins_word) && !result.is_empty() && !result.ends_with('_') {
            result.push('_');
        }
        if is_part {
            result.push(char.to_ascii_lowercase());
        }
        previous = char;
    }
    let result = result.trim_end_matches('_');
    match result.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{result}"),
        Some(_) if RUST_KEYWORDS.contains(&result) => format!("{result}_"),
        Some(_) => result.to_owned(),
    }
}

/// Converts an identifier in snake case to one in camel case, such as `GetBaseInfo`. If it begins with a digit, the
/// result begins with `_`.
#[must_use]
pub fn camel_case(identifier: &str) -> String {
    let words = identifier.split('_').filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Converts a name to the name of a type or of a variant, such as `BaseInfo` for `base-info`.
#[must_use]
pub fn type_name(name: &str, fallback: &str) -> String {
    camel_case(&snake_case(name, fallback))
}

// The identifiers of the values of an enum, and of the fields of a struct. If two texts have the same identifier, both
// are spelled out instead. A keyword that is spelled out can be the identifier of another text; it then has a hash.

/// The signs with their words. Each sign is also spelled with its word, between underscores, where two texts would have
/// the same identifier.
const WORDS: &str = "\
    !not \"quote #hash $dollar %percent &and 'apostrophe (open )close *star +plus ,comma -minus .dot /slash :colon \
    ;semicolon <less =equal >greater ?question @at [left \\backslash ]right ^caret _underscore `backtick {begin |or \
    }end ~tilde";

/// The signs that only separate words, unless a text consists of signs.
const SEPARATORS: &str = "\"'(),-./:;[]`_{} \t\n\r";

/// Returns the names of the variants for these texts, which are different: `BaseInfo` for `base-info`, `LessEqual` for
/// `<=`. A name of `reserved` gets a number.
pub(crate) fn variant_names(texts: &[&str], reserved: &[&str]) -> Vec<String> {
    let names = texts.iter().map(|text| candidates(names_of_variant(text, reserved), "_", text));
    distinct_names(names, str::to_owned)
}

pub(crate) fn names_of_variant(text: &str, reserved: &[&str]) -> Vec<String> {
    let name = if text.is_empty() { "Empty".to_owned() } else { type_name(&with_words(text), "") };
    let is_reserved = name.is_empty() || reserved.contains(&name.as_str());
    vec![if is_reserved { name + "2" } else { name }, spelled(text)]
}

/// Returns the names of the fields for these texts, which are different: `base_info` for `baseInfo`. Signs have words
/// only in names without letters and digits, so that the field for `$filter` is `filter`.
pub(crate) fn field_names(texts: &[&str]) -> Vec<String> {
    let name = |text: &str| match snake_case(text, "") {
        name if !name.is_empty() => name,
        _ if text.is_empty() => "field".to_owned(),
        _ => snake_case(&with_words(text), ""),
    };
    distinct_names(texts.iter().map(|text| candidates(vec![name(text), spelled(text)], "_", text)), str::to_owned)
}

/// Returns a text in which signs that separate no words are words, with spaces around them. In a text of signs alone,
/// all of them are. Characters beyond ASCII become their code points, such as `u4e2d`.
fn with_words(text: &str) -> String {
    let is_of_signs = !text.chars().any(|char| char.is_ascii_alphanumeric() || !SEPARATORS.contains(char));
    let mut result = String::new();
    for (index, char) in text.char_indices() {
        let is_sign = is_of_signs || !SEPARATORS.contains(char) || (char == '-' && index == 0);
        match char {
            char if char.is_ascii_alphanumeric() => result.push(char),
            char if is_sign => result += &format!(" {} ", word(char)),
            _ => result.push(' '),
        }
    }
    result
}

fn word(char: char) -> String {
    if char == ' ' {
        return "space".to_owned();
    }
    let known = WORDS.split(' ').find_map(|word| word.strip_prefix(char));
    known.map_or_else(|| format!("u{:x}", u32::from(char)), str::to_owned)
}

/// Returns the name that no other text has: its letters and digits as they are, and every other character as its word
/// between underscores. The underscore at the end distinguishes it from all names that are not spelled out.
fn spelled(text: &str) -> String {
    let begin = if text.starts_with(|char: char| char.is_ascii_digit()) { "_" } else { "" };
    let spell = |char: char| match char {
        char if char.is_ascii_alphanumeric() => char.to_string(),
        char => format!("_{}_", word(char)),
    };
    let text = if text.is_empty() { "_empty_".to_owned() } else { text.chars().map(spell).collect() };
    format!("{begin}{text}_")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_of_variants_depend_only_on_the_text_of_the_value() {
        for (texts, names) in [
            (
                &["base-info", "text/html", "utf-8", "1.5", "sortBy", "a b"][..],
                &["BaseInfo", "TextHtml", "Utf8", "_15", "SortBy", "AB"][..],
            ),
            (&["<=", ">="], &["LessEqual", "GreaterEqual"]),
            (&["<", "<=", ">="], &["Less", "LessEqual", "GreaterEqual"]),
            (&["Etc/GMT+1", "Etc/GMT-1", "Etc/GMT+12"], &["EtcGmtPlus1", "EtcGmt1", "EtcGmtPlus12"]),
            (&["name", "-name", "-"], &["Name", "MinusName", "Minus"]),
            (&["é", "中文", ""], &["Ue9", "U4e2dU6587", "Empty"]),
            (&["C", "C#", "C++", "/", ""], &["C", "CHash", "CPlusPlus", "Slash", "Empty"]),
            (&["asc", "ASC", "desc"], &["asc_", "ASC_", "Desc"]),
            (&["a-b", "a_b", "aB", "1-", "1"], &["a_minus_b_", "a_underscore_b_", "aB_", "_1_minus__", "_1_"]),
            (&["", "empty"], &["_empty__", "empty_"]),
            (&["self", "other"], &["Self2", "Other"]),
        ] {
            assert_eq!(variant_names(texts, &["Self"]), names, "{texts:?}");
            for text in texts.iter().filter(|text| **text != "self") {
                // Alone, a text has the same name, or one that no text of the list has.
                let alone = variant_names(&[text], &["Self"]).remove(0);
                let owner = names.iter().position(|name| *name == alone);
                assert!(owner.is_none_or(|owner| texts[owner] == *text), "{text}: {alone}");
            }
        }
    }

    #[test]
    fn names_of_fields_depend_only_on_the_text_of_the_key() {
        for (texts, names) in [
            (&["baseInfo", "$filter", "@type", "7"][..], &["base_info", "filter", "type_", "_7"][..]),
            (&["date<", "date>", "date"], &["date_less__", "date_greater__", "date_"]),
            (&["type", "Type", "?!", "中"], &["type_5127f14d", "Type_", "question_not", "u4e2d"]),
        ] {
            assert_eq!(field_names(texts), names, "{texts:?}");
        }
    }

    #[test]
    fn different_texts_never_have_the_same_name() {
        let characters = ['a', 'A', '1', '-', '_', '<', 'é', ' '];
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer = texts.iter().flat_map(|text| characters.iter().map(move |char| format!("{text}{char}")));
            texts = longer.chain([String::new()]).collect();
        }
        let texts: HashSet<&str> = texts.iter().map(String::as_str).collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        for names in [variant_names(&texts, &["Self"]), field_names(&texts)] {
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), texts.len());
            for name in &names {
                let is_start = |char: char| char.is_ascii_alphabetic() || char == '_';
                assert!(name.starts_with(is_start) && name != "_", "{name}");
            }
        }
    }
}
