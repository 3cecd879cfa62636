//! Parses the notation of patterns in definitions: `/a+/i` with delimiters and flags, or `a+` without delimiters.

use std::fmt::Display;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem, Span};

pub(super) const MAX_GROUP_DEPTH: u32 = 50;

/// The characters that can delimit a pattern. The others that PCRE allows are common at the beginning of patterns
/// without delimiters.
const DELIMITERS: [char; 5] = ['/', '#', '~', '%', '@'];

/// The flags of a pattern, which are letters after the closing delimiter, in the order of the canonical notation:
///
/// - `i`: upper-case and lower-case letters match each other.
/// - `m`: `^` and `$` also match at the beginning and end of lines.
/// - `s`: `.` also matches a line feed.
/// - `u`: `\d`, `\w`, `\s` and `\b` use Unicode instead of ASCII.
/// - `x`: white space and comments in the pattern are ignored.
const FLAGS: &str = "imsux";

/// The text of a pattern between the delimiters, and its flags.
#[derive(Debug)]
pub(super) struct ParsedPattern {
    pub(super) pattern: String,
    flags: String,
}

impl ParsedPattern {
    /// Parses the notation of a pattern, such as `/a+/i`, `{a+}` or `a+`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let undelimited = || Self { pattern: text.to_owned(), flags: String::new() };
        let Some(open) = text.chars().next().filter(|c| *c == '{' || DELIMITERS.contains(c)) else {
            return Ok(undelimited());
        };
        let close = if open == '{' { '}' } else { open };
        let after_open = &text[open.len_utf8()..];
        let Some((pattern, flags)) = after_open.rsplit_once(close) else {
            return match open {
                '/' | '{' => Err(format!("the pattern begins with `{open}` but has no closing `{close}`")),
                _ => Ok(undelimited()),
            };
        };
        // If the text after the last delimiter cannot be flags, and the delimiter is not `/` or `}`, the pattern has no
        // delimiters.
        if !matches!(open, '/' | '{') && !flags.chars().all(|c| c.is_ascii_alphabetic()) {
            return Ok(undelimited());
        }
        if let Some(other) = flags.chars().find(|letter| !FLAGS.contains(*letter)) {
            return Err(format!("`{other}` is not a flag; the flags are i, m, s, u and x"));
        }
        let flags = FLAGS.chars().filter(|flag| flags.contains(*flag)).collect();
        Ok(Self { pattern: pattern.to_owned(), flags })
    }

    /// Returns the notation of the pattern with `/` as the delimiter.
    pub(super) fn notation(&self) -> String {
        let mut notation = String::from("/");
        let mut escaped = false;
        for c in self.pattern.chars() {
            if c == '/' && !escaped {
                notation.push('\\');
            }
            escaped = c == '\\' && !escaped;
            notation.push(c);
        }
        format!("{notation}/{}", self.flags)
    }

    /// Returns the pattern in the notation of the crate `regex`.
    pub(super) fn to_regex(&self) -> Result<String, String> {
        let flags = self.flags.replace('u', "");
        let flags = if flags.is_empty() { flags } else { format!("(?{flags})") };
        let regex = format!("{flags}{}", self.pattern);
        if self.flags.contains('u') { Ok(regex) } else { replace_classes_by_ascii(&regex) }
    }
}

pub(super) fn regex_error_message(error: &(impl Display + ?Sized)) -> String {
    format!("the pattern cannot be parsed: {error}")
}

/// Replaces `\d`, `\w`, `\s` and `\b` in a pattern by patterns that have the same meaning for ASCII texts.
///
/// The option of the regex parser for ASCII is not used, because it makes `.` match bytes that are not valid UTF-8.
fn replace_classes_by_ascii(pattern: &str) -> Result<String, String> {
    let ast = ParserBuilder::new().nest_limit(MAX_GROUP_DEPTH).build().parse(pattern);
    let ast = ast.map_err(|error| regex_error_message(error.kind()))?;
    // This pattern always matches, because the visitor returns no errors.
    let Ok(replacements) = ast::visit(&ast, ClassReplacements(Vec::new()));
    let mut ascii = pattern.to_owned();
    for (span, replacement) in replacements.into_iter().rev() {
        ascii.replace_range(span.start.offset..span.end.offset, replacement);
    }
    Ok(ascii)
}

/// The parts of a pattern that must be replaced, in the order of the pattern, each with its replacement.
struct ClassReplacements(Vec<(Span, &'static str)>);

impl ast::Visitor for ClassReplacements {
    type Output = Vec<(Span, &'static str)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::ClassPerl(class) => self.0.push((class.span, ascii_class_pattern(class))),
            Ast::Assertion(assertion) => {
                let replacement = match assertion.kind {
                    AssertionKind::WordBoundary => r"(?-u:\b)",
                    AssertionKind::NotWordBoundary => r"(?-u:\B)",
                    AssertionKind::WordBoundaryStart | AssertionKind::WordBoundaryStartAngle => r"(?-u:\b{start})",
                    AssertionKind::WordBoundaryEnd | AssertionKind::WordBoundaryEndAngle => r"(?-u:\b{end})",
                    AssertionKind::WordBoundaryStartHalf => r"(?-u:\b{start-half})",
                    AssertionKind::WordBoundaryEndHalf => r"(?-u:\b{end-half})",
                    _ => return Ok(()),
                };
                self.0.push((assertion.span, replacement));
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        if let ClassSetItem::Perl(class) = item {
            self.0.push((class.span, ascii_class_pattern(class)));
        }
        Ok(())
    }
}

fn ascii_class_pattern(class: &ClassPerl) -> &'static str {
    match (&class.kind, class.negated) {
        (ClassPerlKind::Digit, false) => "[0-9]",
        (ClassPerlKind::Digit, true) => "[^0-9]",
        (ClassPerlKind::Space, false) => r"[\x09-\x0D\x20]",
        (ClassPerlKind::Space, true) => r"[^\x09-\x0D\x20]",
        (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
        (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
    }
}
