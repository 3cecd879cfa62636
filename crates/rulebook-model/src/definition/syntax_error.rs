//! Diagnostics for files that are not valid JSON with comments, and for duplicate keys in JSON objects.

use jsonc_parser::ParseStringErrorKind;
use jsonc_parser::common::Range;
use jsonc_parser::errors::ParseErrorKind;

use super::jsonc::{MAX_JSON_DEPTH, file_span};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Span;

/// Finds a character that the JSON parser accepts but JSON does not allow (RFC 8259 sections 2 and 7): a control
/// character in a string, or other whitespace than space, tab, line feed and carriage return.
pub(super) fn find_invalid_character_error(file: u32, text: &str) -> Option<Diagnostic> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(&inside) = bytes.get(at).filter(|byte| **byte != b'"') {
                    if inside < b' ' {
                        return Some(control_character_error(file, at, inside));
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
                let error = Diagnostic::new(
                    DiagnosticCode::Syntax,
                    file_span(file, at, at + char.len_utf8()),
                    format!("unexpected character U+{:04X}", u32::from(char)),
                );
                return Some(error.help("only spaces, tabs and line breaks may stand between values"));
            }
        }
    }
    None
}

fn control_character_error(file: u32, at: usize, byte: u8) -> Diagnostic {
    let span = file_span(file, at, at + 1);
    if matches!(byte, b'\n' | b'\r') {
        Diagnostic::new(DiagnosticCode::Syntax, span, "line break in a string")
            .help("close the string with `\"`, or write the line break as `\\n`")
    } else {
        Diagnostic::new(DiagnosticCode::Syntax, span, format!("control character U+{byte:04X} in a string"))
            .help(format!("write it as `\\u{byte:04x}`"))
    }
}

fn is_digit(char: char) -> bool {
    char.is_ascii_digit()
}

/// Returns the help for a word without quotes: that of another language for one of JSON, or a text.
fn word_help(text: &str) -> String {
    let word: String = text.chars().take_while(|char| char.is_alphanumeric()).collect();
    match word.to_lowercase().as_str() {
        word @ ("true" | "false" | "null") => format!("write `{word}`"),
        "none" | "nil" | "undefined" => "write `null`".to_owned(),
        _ => "write strings in double quotes".to_owned(),
    }
}

pub(super) fn json_parse_error(file: u32, text: &str, range: Range, kind: &ParseErrorKind) -> Diagnostic {
    use ParseErrorKind as Kind;
    let at = file_span(file, range.start, range.end);
    let opening = file_span(file, range.start, range.start + 1);
    let end = file_span(file, text.len(), text.len());
    let error = |span, message: &str| Diagnostic::new(DiagnosticCode::Syntax, span, message);
    match kind {
        Kind::TrailingCommasNotAllowed => error(at, "trailing comma").help("remove the comma"),
        // The range is that of the next value; a number that begins with a zero ends behind the zero.
        Kind::ExpectedComma if text[..range.start].ends_with('0') && text[range.start..].starts_with(is_digit) => {
            error(at, "a number begins with a zero").help("remove the zero, or write a text in double quotes")
        }
        Kind::ExpectedComma => error(at, "missing comma").label("expected `,` here"),
        Kind::UnterminatedObject => error(opening, "unclosed object")
            .label("opened here")
            .related(end, "expected `}` before the end of the file"),
        Kind::UnterminatedArray => error(opening, "unclosed array")
            .label("opened here")
            .related(end, "expected `]` before the end of the file"),
        Kind::UnterminatedCommentBlock => error(at, "unclosed comment").help("close it with `*/`"),
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            error(at, "unclosed string").help("close it with `\"`")
        }
        Kind::String(_) => error(at, "invalid escape sequence").help(
            "JSON has the escape sequences `\\\" \\\\ \\/ \\b \\f \\n \\r \\t` and `\\uXXXX`, of which characters \
             beyond U+FFFF need two",
        ),
        Kind::MultipleRootJsonValues => error(at, "unexpected text after the end of the definition"),
        Kind::ExpectedStringObjectProperty => error(at, "key without quotes").help("write the key in double quotes"),
        Kind::SingleQuotedStringsNotAllowed => error(at, "string in single quotes").help("use double quotes"),
        Kind::ExpectedColonAfterObjectKey => error(at, "missing colon after this key").label("expected `:` here"),
        Kind::ExpectedObjectValue => error(at, "missing value after the colon"),
        Kind::UnexpectedWord => error(at, "unexpected word").help(word_help(&text[range.start..])),
        Kind::UnexpectedCloseBrace | Kind::UnexpectedCloseBracket | Kind::UnexpectedColon | Kind::UnexpectedComma => {
            unexpected_character_error(text, at).label("expected a value")
        }
        Kind::UnexpectedTokenInObject => unexpected_character_error(text, at).label("expected a key or `}`"),
        Kind::UnexpectedToken => unexpected_character_error(text, at),
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => {
            error(at, "invalid number").help("JSON numbers are written like `10`, `-0.5` or `1e9`")
        }
        Kind::NestingDepthExceeded => too_deep_error(opening),
        // The other kinds of errors cannot occur: they belong to features of the JSON parser that are switched off, and
        // comments are allowed.
        _ => error(at, &kind.to_string()),
    }
}

fn unexpected_character_error(text: &str, span: Span) -> Diagnostic {
    let char = text.get(span.start as usize..).and_then(|rest| rest.chars().next());
    let message = match char {
        Some(char) => format!("unexpected `{char}`"),
        None => "unexpected end of the file".to_owned(),
    };
    Diagnostic::new(DiagnosticCode::Syntax, span, message)
}

pub(super) fn too_deep_error(span: Span) -> Diagnostic {
    let message = format!("objects and arrays are nested more than {MAX_JSON_DEPTH} levels deep");
    Diagnostic::new(DiagnosticCode::Syntax, span, message)
}

/// `offset` is the position of the first byte that is not valid UTF-8.
pub(super) fn not_utf8_error(file: u32, offset: usize) -> Diagnostic {
    let span = file_span(file, offset, offset + char::REPLACEMENT_CHARACTER.len_utf8());
    Diagnostic::new(DiagnosticCode::Syntax, span, format!("byte {offset} of this file is not valid UTF-8"))
        .help("save the file as UTF-8")
}

pub(super) fn duplicate_key_error(key: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::DuplicateKey, second, format!("duplicate key `{key}`"))
        .label("second occurrence")
        .related(first, "first occurrence")
        .help("remove one of the two")
}
