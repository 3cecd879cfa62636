//! A parsed pattern in the syntax of ECMA-262, in a form that all engines read alike.

use std::fmt::Write;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

/// Prints a pattern; classes, cases and boundaries are spelled out.
///
/// # Errors
/// The pattern matches bytes that are no text.
pub(super) fn print(hir: &Hir) -> Result<String, String> {
    let mut printed = String::new();
    alternatives(hir, &mut printed)?;
    Ok(printed)
}

/// What may stand between two `|`.
fn alternatives(hir: &Hir, out: &mut String) -> Result<(), String> {
    let HirKind::Alternation(branches) = hir.kind() else {
        return sequence(hir, out);
    };
    for (index, branch) in branches.iter().enumerate() {
        if index > 0 {
            out.push('|');
        }
        sequence(branch, out)?;
    }
    Ok(())
}

/// What may stand beside others.
fn sequence(hir: &Hir, out: &mut String) -> Result<(), String> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| no_text())?;
            text.chars().for_each(|c| character(c, false, out));
        }
        HirKind::Class(Class::Unicode(ranges)) => class(ranges, out),
        HirKind::Class(Class::Bytes(bytes)) => class(&bytes.to_unicode_class().ok_or_else(no_text)?, out),
        HirKind::Look(look) => out.push_str(&assertion(*look)?),
        // Assertions need not be repeated, and not all engines repeat them.
        HirKind::Repetition(repetition) if repetition.sub.properties().maximum_len() == Some(0) => {
            if repetition.min > 0 {
                atom(&repetition.sub, out)?;
            }
        }
        HirKind::Repetition(repetition) => {
            atom(&repetition.sub, out)?;
            quantifier(repetition, out);
        }
        HirKind::Capture(capture) => atom(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| sequence(part, out))?,
        HirKind::Alternation(_) => atom(hir, out)?,
    }
    Ok(())
}

/// What may be repeated: a single class, or a group.
fn atom(hir: &Hir, out: &mut String) -> Result<(), String> {
    if let HirKind::Class(_) = hir.kind() {
        return sequence(hir, out);
    }
    out.push_str("(?:");
    alternatives(hir, out)?;
    out.push(')');
    Ok(())
}

fn quantifier(repetition: &Repetition, out: &mut String) {
    match (repetition.min, repetition.max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => write_to(out, format_args!("{{{min},}}")),
        (min, Some(max)) if min == max => write_to(out, format_args!("{{{min}}}")),
        (min, Some(max)) => write_to(out, format_args!("{{{min},{max}}}")),
    }
}

fn class(class: &ClassUnicode, out: &mut String) {
    let mut complement = class.clone();
    complement.negate();
    match class.ranges().last() {
        // Engines disagree about `[]` and `[^]`.
        None => out.push_str(r"[^\s\S]"),
        _ if complement.ranges().is_empty() => out.push_str(r"[\s\S]"),
        // The last character of all is one that engines without a Unicode mode take for two.
        Some(last) if last.end() == char::MAX => {
            out.push_str("[^");
            ranges(complement.ranges(), out);
        }
        _ => {
            out.push('[');
            ranges(class.ranges(), out);
        }
    }
    if out.ends_with(r"\S]") {
        return;
    }
    out.push(']');
}

fn ranges(ranges: &[ClassUnicodeRange], out: &mut String) {
    for range in ranges {
        character(range.start(), true, out);
        if range.start() != range.end() {
            // Two neighbours need no hyphen between them.
            if u32::from(range.end()) - u32::from(range.start()) > 1 {
                out.push('-');
            }
            character(range.end(), true, out);
        }
    }
}

/// A character that means itself.
fn character(c: char, in_class: bool, out: &mut String) {
    let code = u32::from(c);
    match c {
        '^' | '\\' | '[' | ']' => {
            out.push('\\');
            out.push(c);
        }
        '-' if in_class => out.push_str(r"\-"),
        // Doubled they are operators in some engines' classes.
        '&' | '~' if in_class => write_to(out, format_args!(r"\x{code:02X}")),
        '$' | '.' | '*' | '+' | '?' | '(' | ')' | '{' | '}' | '|' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        ' '..='~' => out.push(c),
        _ if code <= 0xFF => write_to(out, format_args!(r"\x{code:02X}")),
        // Beyond U+FFFF the character itself is the one form that all read alike.
        _ if code <= 0xFFFF && !c.is_alphanumeric() => write_to(out, format_args!(r"\u{code:04X}")),
        _ => out.push(c),
    }
}

/// An assertion spelled out, as engines have other ideas of lines and words.
fn assertion(look: Look) -> Result<String, String> {
    let ascii = "[0-9A-Z_a-z]".to_owned();
    let assertion = match look {
        Look::Start => "^".to_owned(),
        Look::End => "$".to_owned(),
        Look::StartLF => r"(?<![^\n])".to_owned(),
        Look::EndLF => r"(?![^\n])".to_owned(),
        Look::StartCRLF => r"(?:^|(?<=\n)|(?<=\r)(?!\n))".to_owned(),
        Look::EndCRLF => r"(?:$|(?=\r)|(?<!\r)(?=\n))".to_owned(),
        Look::WordAscii => boundary(&ascii),
        Look::WordAsciiNegate => no_boundary(&ascii),
        Look::WordStartAscii => word_start(&ascii),
        Look::WordEndAscii => word_end(&ascii),
        Look::WordStartHalfAscii => format!("(?<!{ascii})"),
        Look::WordEndHalfAscii => format!("(?!{ascii})"),
        Look::WordUnicode => boundary(&unicode_word()?),
        Look::WordUnicodeNegate => no_boundary(&unicode_word()?),
        Look::WordStartUnicode => word_start(&unicode_word()?),
        Look::WordEndUnicode => word_end(&unicode_word()?),
        Look::WordStartHalfUnicode => format!("(?<!{})", unicode_word()?),
        Look::WordEndHalfUnicode => format!("(?!{})", unicode_word()?),
    };
    Ok(assertion)
}

fn word_start(word: &str) -> String {
    format!("(?<!{word})(?={word})")
}

fn word_end(word: &str) -> String {
    format!("(?<={word})(?!{word})")
}

fn boundary(word: &str) -> String {
    format!("(?:{}|{})", word_start(word), word_end(word))
}

fn no_boundary(word: &str) -> String {
    format!("(?:(?<!{word})(?!{word})|(?<={word})(?={word}))")
}

/// The class of all characters of words.
fn unicode_word() -> Result<String, String> {
    let hir = regex_syntax::parse(r"\w").map_err(|error| error.to_string())?;
    print(&hir)
}

fn no_text() -> String {
    "the pattern matches bytes that are no text".to_owned()
}

fn write_to(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = out.write_fmt(arguments);
}
