//! How a pattern is written: between delimiters with flags behind them, or bare.

use std::fmt::Display;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem, Span};

/// How deep groups and classes may nest.
pub(super) const NESTING: u32 = 50;

/// The characters that delimit a pattern when it begins with one of them and
/// ends in the same, but for flags. Others that PCRE takes begin ordinary patterns too.
const DELIMITERS: [char; 5] = ['/', '#', '~', '%', '@'];

/// The flags behind a pattern.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`: the case of letters does not count.
    pub(super) ignore_case: bool,
    /// `m`: `^` and `$` match at lines too.
    pub(super) multi_line: bool,
    /// `s`: `.` matches a line feed too.
    pub(super) dot_all: bool,
    /// `u`: `\d`, `\w`, `\s` and `\b` know all of Unicode, not ASCII alone.
    pub(super) unicode: bool,
    /// `x`: blanks and comments do not count.
    pub(super) extended: bool,
}

/// A pattern without its delimiters.
#[derive(Debug)]
pub(super) struct Delimited {
    pub(super) pattern: String,
    pub(super) flags: Flags,
}

impl Delimited {
    /// Reads `/a+/i`, `{a+}`, or `a+`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let bare = || Self { pattern: text.to_owned(), flags: Flags::default() };
        let Some(open) = text.chars().next().filter(|c| *c == '{' || DELIMITERS.contains(c)) else {
            return Ok(bare());
        };
        let close = if open == '{' { '}' } else { open };
        let inside = &text[open.len_utf8()..];
        let Some((pattern, flags)) = inside.rsplit_once(close) else {
            return match open {
                '/' | '{' => Err(format!("the pattern begins with `{open}` and has no closing `{close}`")),
                _ => Ok(bare()),
            };
        };
        // Only what begins with `/` or `{` is certainly meant to be delimited.
        if !matches!(open, '/' | '{') && !flags.chars().all(|c| c.is_ascii_alphabetic()) {
            return Ok(bare());
        }
        Ok(Self { pattern: pattern.to_owned(), flags: Flags::read(flags)? })
    }
}

impl Flags {
    fn read(letters: &str) -> Result<Self, String> {
        let mut flags = Self::default();
        for letter in letters.chars() {
            match letter {
                'i' => flags.ignore_case = true,
                'm' => flags.multi_line = true,
                's' => flags.dot_all = true,
                'u' => flags.unicode = true,
                'x' => flags.extended = true,
                other => return Err(format!("`{other}` is no flag; flags are i, m, s, u and x")),
            }
        }
        Ok(flags)
    }

    /// A pattern with these flags between `/`.
    pub(super) fn write(self, pattern: &str) -> String {
        let mut written = String::from("/");
        let mut escaped = false;
        for c in pattern.chars() {
            if c == '/' && !escaped {
                written.push('\\');
            }
            escaped = c == '\\' && !escaped;
            written.push(c);
        }
        written.push('/');
        let flags = [
            (self.ignore_case, 'i'),
            (self.multi_line, 'm'),
            (self.dot_all, 's'),
            (self.unicode, 'u'),
            (self.extended, 'x'),
        ];
        written.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, letter)| letter));
        written
    }
}

/// What is wrong with a pattern, in one line.
pub(super) fn message(error: &(impl Display + ?Sized)) -> String {
    format!("the pattern cannot be read: {error}")
}

/// The pattern with `\d`, `\w`, `\s` and `\b` replaced by what they are in ASCII.
///
/// The parser's own switch for that makes `.` match bytes too, which have no
/// place in texts.
pub(super) fn ascii_classes(pattern: &str, flags: &Flags) -> Result<String, String> {
    let ast = ParserBuilder::new()
        .nest_limit(NESTING)
        .ignore_whitespace(flags.extended)
        .build()
        .parse(pattern)
        .map_err(|error| message(error.kind()))?;
    // Infallible: the visitor has no error of its own.
    let Ok(replacements) = ast::visit(&ast, Replacements(Vec::new()));
    let mut ascii = pattern.to_owned();
    for (span, replacement) in replacements.into_iter().rev() {
        ascii.replace_range(span.start.offset..span.end.offset, replacement);
    }
    Ok(ascii)
}

/// What stands for what in the pattern, in its order.
struct Replacements(Vec<(Span, &'static str)>);

impl ast::Visitor for Replacements {
    type Output = Vec<(Span, &'static str)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::ClassPerl(class) => self.0.push((class.span, ascii_class(class))),
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
            self.0.push((class.span, ascii_class(class)));
        }
        Ok(())
    }
}

fn ascii_class(class: &ClassPerl) -> &'static str {
    match (&class.kind, class.negated) {
        (ClassPerlKind::Digit, false) => "[0-9]",
        (ClassPerlKind::Digit, true) => "[^0-9]",
        (ClassPerlKind::Space, false) => r"[\x09-\x0D\x20]",
        (ClassPerlKind::Space, true) => r"[^\x09-\x0D\x20]",
        (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
        (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
    }
}
