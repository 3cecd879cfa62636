//! The faults of a text that is no JSON, and their words.

use jsonc_parser::ParseStringErrorKind;
use jsonc_parser::common::Range;
use jsonc_parser::errors::ParseErrorKind;

use super::text::{MAX_DEPTH, place};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Place;

/// Tells what the parser lets pass and JSON does not (RFC 8259, sections 2 and
/// 7): control characters in strings, and blanks between tokens that are none
/// of its four.
pub(super) fn stray(file: u32, text: &str) -> Option<Diagnostic> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(&inside) = bytes.get(at).filter(|byte| **byte != b'"') {
                    if inside < b' ' {
                        return Some(control(file, at, inside));
                    }
                    at += if inside == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |n| at + n);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |n| at + 2 + n + 2);
            }
            b' ' | b'\t' | b'\n' | b'\r' | b'!'..=b'~' => at += 1,
            _ => {
                let char = text[at..].chars().next()?;
                let fault = Diagnostic::new(
                    Code::Syntax,
                    place(file, at, at + char.len_utf8()),
                    format!("the character U+{:04X} does not belong here", u32::from(char)),
                );
                return Some(fault.help("between values JSON knows blanks, tabs and line breaks"));
            }
        }
    }
    None
}

fn control(file: u32, at: usize, byte: u8) -> Diagnostic {
    let place = place(file, at, at + 1);
    if matches!(byte, b'\n' | b'\r') {
        Diagnostic::new(Code::Syntax, place, "this string does not end on its line")
            .help("close it with `\"`, or write a line break in it as `\\n`")
    } else {
        Diagnostic::new(Code::Syntax, place, format!("the control character U+{byte:04X} stands in a string"))
            .help(format!("write it as `\\u{byte:04x}`"))
    }
}

/// The words for what the parser refuses.
pub(super) fn refusal(file: u32, text: &str, range: Range, kind: &ParseErrorKind) -> Diagnostic {
    use ParseErrorKind as Kind;
    let at = place(file, range.start, range.end);
    let opening = place(file, range.start, range.start + 1);
    let end = place(file, text.len(), text.len());
    let fault = |place, words: &str| Diagnostic::new(Code::Syntax, place, words);
    match kind {
        Kind::TrailingCommasNotAllowed => fault(at, "a comma with nothing behind it").help("remove the comma"),
        Kind::ExpectedComma => fault(at, "a comma is missing").label("expected `,` here"),
        Kind::UnterminatedObject => {
            fault(opening, "this object is not closed").label("opened here").other(end, "expected `}` before the end")
        }
        Kind::UnterminatedArray => {
            fault(opening, "this list is not closed").label("opened here").other(end, "expected `]` before the end")
        }
        Kind::UnterminatedCommentBlock => fault(at, "this comment is not closed").help("close it with `*/`"),
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            fault(at, "this string is not closed").help("close it with `\"`")
        }
        Kind::String(_) => fault(at, "this is no escape of JSON")
            .help("the escapes are `\\\" \\\\ \\/ \\b \\f \\n \\r \\t` and `\\uXXXX`, in pairs beyond U+FFFF"),
        Kind::MultipleRootJsonValues => fault(at, "text behind the end of the definition"),
        Kind::ExpectedStringObjectProperty => fault(at, "a key without quotes").help("write it in double quotes"),
        Kind::SingleQuotedStringsNotAllowed => fault(at, "a string in single quotes").help("use double quotes"),
        Kind::ExpectedColonAfterObjectKey => fault(at, "a colon is missing behind this key").label("expected `:` here"),
        Kind::ExpectedObjectValue => fault(at, "a value is missing behind the colon"),
        Kind::UnexpectedWord => fault(at, "this word is no value").help("strings are written in double quotes"),
        Kind::UnexpectedCloseBrace | Kind::UnexpectedCloseBracket | Kind::UnexpectedColon | Kind::UnexpectedComma => {
            misplaced(text, at).label("expected a value")
        }
        Kind::UnexpectedTokenInObject => misplaced(text, at).label("expected a key or `}`"),
        Kind::UnexpectedToken => misplaced(text, at),
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => fault(at, "this is no number of JSON"),
        Kind::NestingDepthExceeded => too_deep(opening),
        // Comments are allowed; other kinds are of parts of the crate that are not used.
        _ => fault(at, &kind.to_string()),
    }
}

/// The fault that the character at a place is none that can follow there.
fn misplaced(text: &str, place: Place) -> Diagnostic {
    let char = text.get(place.start as usize..).and_then(|rest| rest.chars().next());
    let words = match char {
        Some(char) => format!("`{char}` does not belong here"),
        None => "the text ends too early".to_owned(),
    };
    Diagnostic::new(Code::Syntax, place, words)
}

pub(super) fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::new(Code::Syntax, place, format!("more than {MAX_DEPTH} levels of objects and lists"))
}

/// The fault that the byte at `offset` is no UTF-8.
pub(super) fn not_utf8(file: u32, offset: usize) -> Diagnostic {
    let place = place(file, offset, offset + char::REPLACEMENT_CHARACTER.len_utf8());
    Diagnostic::new(Code::Syntax, place, format!("byte {offset} of this file is not UTF-8"))
        .help("save the file as UTF-8")
}

/// The fault that `key` stands twice.
pub(super) fn duplicate(key: &str, second: Place, first: Place) -> Diagnostic {
    Diagnostic::new(Code::DuplicateKey, second, format!("`{key}` stands here twice"))
        .label("again")
        .other(first, "first here")
        .help("keep one of the two")
}
