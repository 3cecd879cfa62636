//! Prints a parsed pattern in the syntax of ECMA-262, using only constructs that regex engines agree about.

use std::fmt::Write;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

/// Prints a pattern. Character classes, case-insensitive letters and word boundaries are written out.
///
/// # Errors
/// Fails if the pattern matches bytes that are not valid UTF-8.
pub(super) fn print(hir: &Hir) -> Result<String, String> {
    let mut printed = String::new();
    alternatives(hir, &mut printed)?;
    Ok(printed)
}

/// Prints a pattern that may contain `|` at the top level.
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

/// Prints a pattern that can be concatenated with others.
fn sequence(hir: &Hir, out: &mut String) -> Result<(), String> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| not_utf8())?;
            text.chars().for_each(|c| character(c, false, out));
        }
        HirKind::Class(Class::Unicode(ranges)) => class(ranges, out),
        HirKind::Class(Class::Bytes(bytes)) => class(&bytes.to_unicode_class().ok_or_else(not_utf8)?, out),
        HirKind::Look(look) => out.push_str(&assertion(*look)?),
        // Repeating an assertion has no effect, and some engines reject it.
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

/// Prints a pattern that can be followed by a quantifier: a class or a group.
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
        // Engines disagree about the meaning of `[]` and `[^]`.
        None => out.push_str(r"[^\s\S]"),
        _ if complement.ranges().is_empty() => out.push_str(r"[\s\S]"),
        // Engines without a Unicode mode treat U+10FFFF as two characters, so the class is written as a negation.
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
            // A range of two adjacent characters needs no hyphen.
            if u32::from(range.end()) - u32::from(range.start()) > 1 {
                out.push('-');
            }
            character(range.end(), true, out);
        }
    }
}

/// Prints a character that matches itself.
fn character(c: char, in_class: bool, out: &mut String) {
    let code = u32::from(c);
    match c {
        '^' | '\\' | '[' | ']' => {
            out.push('\\');
            out.push(c);
        }
        '-' if in_class => out.push_str(r"\-"),
        // `&&` and `~~` are operators in the classes of some engines.
        '&' | '~' if in_class => write_to(out, format_args!(r"\x{code:02X}")),
        '$' | '.' | '*' | '+' | '?' | '(' | ')' | '{' | '}' | '|' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        ' '..='~' => out.push(c),
        _ if code <= 0xFF => write_to(out, format_args!(r"\x{code:02X}")),
        // Engines have different escapes for characters above U+FFFF, so these are written literally.
        _ if code <= 0xFFFF && !c.is_alphanumeric() => write_to(out, format_args!(r"\u{code:04X}")),
        _ => out.push(c),
    }
}

/// Returns an assertion in terms of look-around, because engines define lines and words differently.
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
        Look::WordAsciiNegate => not_boundary(&ascii),
        Look::WordStartAscii => word_start(&ascii),
        Look::WordEndAscii => word_end(&ascii),
        Look::WordStartHalfAscii => format!("(?<!{ascii})"),
        Look::WordEndHalfAscii => format!("(?!{ascii})"),
        Look::WordUnicode => boundary(&unicode_word()?),
        Look::WordUnicodeNegate => not_boundary(&unicode_word()?),
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

fn not_boundary(word: &str) -> String {
    format!("(?:(?<!{word})(?!{word})|(?<={word})(?={word}))")
}

/// Returns the class of the characters that `\w` matches in Unicode mode.
fn unicode_word() -> Result<String, String> {
    let hir = regex_syntax::parse(r"\w").map_err(|error| error.to_string())?;
    print(&hir)
}

fn not_utf8() -> String {
    "the pattern matches bytes that are not valid UTF-8".to_owned()
}

fn write_to(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(arguments);
}
