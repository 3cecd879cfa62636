//! Translates a parsed pattern to the syntax of ECMA-262, and uses only constructs that all regex engines treat alike.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, LookSet, Repetition};

/// Returns a pattern in the syntax of ECMA-262. Character classes, case-insensitive letters and word boundaries are
/// spelled out. Fails if the pattern matches bytes that are not valid UTF-8.
pub(super) fn to_ecma_pattern(hir: &Hir) -> Result<String, String> {
    let mut printed = String::new();
    append_alternatives(hir, &mut printed)?;
    Ok(printed)
}

/// Appends a pattern that may have alternatives, without a group around the alternatives.
fn append_alternatives(hir: &Hir, out: &mut String) -> Result<(), String> {
    let HirKind::Alternation(branches) = hir.kind() else {
        return append_sequence(hir, out);
    };
    for (index, branch) in branches.iter().enumerate() {
        if index > 0 {
            out.push('|');
        }
        append_sequence(branch, out)?;
    }
    Ok(())
}

/// Appends a pattern so that other patterns can follow it. Alternatives are put in a group.
fn append_sequence(hir: &Hir, out: &mut String) -> Result<(), String> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| not_utf8_error())?;
            text.chars().for_each(|c| append_character(c, false, out));
        }
        HirKind::Class(Class::Unicode(ranges)) => append_class(ranges, out),
        HirKind::Class(Class::Bytes(bytes)) => append_class(&bytes.to_unicode_class().ok_or_else(not_utf8_error)?, out),
        HirKind::Look(look) => out.push_str(&assertion_pattern(*look)?),
        // Repeating an assertion such as `^` has no effect, and some engines reject it.
        HirKind::Repetition(repetition) if repetition.sub.properties().maximum_len() == Some(0) => {
            if repetition.min > 0 {
                append_atom(&repetition.sub, out)?;
            }
        }
        HirKind::Repetition(repetition) => {
            append_atom(&repetition.sub, out)?;
            append_quantifier(repetition, out);
        }
        HirKind::Capture(capture) => append_atom(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| append_sequence(part, out))?,
        HirKind::Alternation(_) => append_atom(hir, out)?,
    }
    Ok(())
}

/// Appends a pattern so that a quantifier such as `*` can follow: as a character class or a group.
fn append_atom(hir: &Hir, out: &mut String) -> Result<(), String> {
    if let HirKind::Class(_) = hir.kind() {
        return append_sequence(hir, out);
    }
    out.push_str("(?:");
    append_alternatives(hir, out)?;
    out.push(')');
    Ok(())
}

fn append_quantifier(repetition: &Repetition, out: &mut String) {
    match (repetition.min, repetition.max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => out.push_str(&format!("{{{min},}}")),
        (min, Some(max)) if min == max => out.push_str(&format!("{{{min}}}")),
        (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
    }
}

fn append_class(class: &ClassUnicode, out: &mut String) {
    let mut complement = class.clone();
    complement.negate();
    match class.ranges().last() {
        // Regex engines disagree about the meaning of `[]` and `[^]`.
        None => out.push_str(r"[^\s\S]"),
        _ if complement.ranges().is_empty() => out.push_str(r"[\s\S]"),
        // Regex engines without a Unicode mode treat U+10FFFF as two characters, so the class is written as a negation.
        Some(last) if last.end() == char::MAX => {
            out.push_str("[^");
            append_ranges(complement.ranges(), out);
            out.push(']');
        }
        _ => {
            out.push('[');
            append_ranges(class.ranges(), out);
            out.push(']');
        }
    }
}

fn append_ranges(ranges: &[ClassUnicodeRange], out: &mut String) {
    for range in ranges {
        append_character(range.start(), true, out);
        if range.start() != range.end() {
            // A range of two adjacent characters needs no hyphen.
            if u32::from(range.end()) - u32::from(range.start()) > 1 {
                out.push('-');
            }
            append_character(range.end(), true, out);
        }
    }
}

/// Appends a character, escaped if necessary, so that it matches itself. `in_class` is `true` within `[…]`.
fn append_character(c: char, in_class: bool, out: &mut String) {
    let code = u32::from(c);
    match c {
        '^' | '\\' | '[' | ']' => {
            out.push('\\');
            out.push(c);
        }
        '-' if in_class => out.push_str(r"\-"),
        // `&&` and `~~` are operators in the character classes of some regex engines.
        '&' | '~' if in_class => out.push_str(&format!(r"\x{code:02X}")),
        '$' | '.' | '*' | '+' | '?' | '(' | ')' | '{' | '}' | '|' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        ' '..='~' => out.push(c),
        _ if code <= 0xFF => out.push_str(&format!(r"\x{code:02X}")),
        // Regex engines have different escapes for characters above U+FFFF, so these characters are written literally.
        _ if code <= 0xFFFF && !c.is_alphanumeric() => out.push_str(&format!(r"\u{code:04X}")),
        _ => out.push(c),
    }
}

/// Returns a pattern for an assertion, with look-around, because regex engines define lines and words differently.
fn assertion_pattern(look: Look) -> Result<String, String> {
    let uses_unicode = LookSet::singleton(look).contains_word_unicode();
    let word = if uses_unicode { unicode_word_class()? } else { "[0-9A-Z_a-z]".to_owned() };
    let start = format!("(?<!{word})(?={word})");
    let end = format!("(?<={word})(?!{word})");
    Ok(match look {
        Look::Start => "^".to_owned(),
        Look::End => "$".to_owned(),
        Look::StartLF => r"(?<![^\n])".to_owned(),
        Look::EndLF => r"(?![^\n])".to_owned(),
        Look::StartCRLF => r"(?:^|(?<=\n)|(?<=\r)(?!\n))".to_owned(),
        Look::EndCRLF => r"(?:$|(?=\r)|(?<!\r)(?=\n))".to_owned(),
        Look::WordAscii | Look::WordUnicode => format!("(?:{start}|{end})"),
        Look::WordAsciiNegate | Look::WordUnicodeNegate => {
            format!("(?:(?<!{word})(?!{word})|(?<={word})(?={word}))")
        }
        Look::WordStartAscii | Look::WordStartUnicode => start,
        Look::WordEndAscii | Look::WordEndUnicode => end,
        Look::WordStartHalfAscii | Look::WordStartHalfUnicode => format!("(?<!{word})"),
        Look::WordEndHalfAscii | Look::WordEndHalfUnicode => format!("(?!{word})"),
    })
}

/// Returns a character class with the characters that `\w` matches in Unicode mode.
fn unicode_word_class() -> Result<String, String> {
    let hir = regex_syntax::parse(r"\w").map_err(|error| error.to_string())?;
    to_ecma_pattern(&hir)
}

fn not_utf8_error() -> String {
    "the pattern matches bytes that are not valid UTF-8".to_owned()
}
