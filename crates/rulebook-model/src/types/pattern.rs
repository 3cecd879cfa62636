//! The attribute `regex` of strings, which contains a *pattern* that valid strings must match. This Rust module parses
//! and compiles patterns, translates them to the regular expressions of JSON Schema, and generates texts that match
//! them.

use std::fmt::Display;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::ast::parse::ParserBuilder as AstParserBuilder;
use regex_syntax::ast::{self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem, Span};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, LookSet, Repetition};

use super::{ArgumentError, TypeArguments};

/// The maximum size in bytes of a compiled pattern. The time to match a text grows with this size.
const MAX_COMPILED_SIZE: usize = 256 << 10;

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// The canonical notation of the pattern in definitions, such as `/^a+$/i`.
    pub(super) notation: String,
    /// The pattern in the syntax of ECMA-262 (section 22.2), for JSON Schemas. It does not contain `\d`, `\w`, `\s`,
    /// `\b` and `.`, which regex engines define differently.
    pub(super) ecma_pattern: String,
    pub(super) hir: Hir,
}

/// The numbers of extra repetitions in sample texts, in the order of preference.
const EXTRA_REPETITIONS: [u32; 13] = [2, 1, 3, 0, 4, 5, 6, 7, 9, 11, 15, 31, 63];

impl Pattern {
    /// `None` if the definition does not have the attribute `regex`.
    pub(super) fn from_arguments(arguments: &TypeArguments<'_>) -> Result<Option<Self>, ArgumentError> {
        let Some(text) = arguments.text("regex")? else {
            return Ok(None);
        };
        Self::compile(text).map(Some).map_err(|message| arguments.error(message).at("regex"))
    }

    fn compile(text: &str) -> Result<Self, String> {
        let parsed = ParsedPattern::parse(text)?;
        let pattern = parsed.to_regex()?;
        let hir = ParserBuilder::new().nest_limit(MAX_GROUP_DEPTH).build().parse(&pattern);
        let hir = hir.map_err(|error| match error {
            regex_syntax::Error::Parse(error) => regex_error_message(error.kind()),
            regex_syntax::Error::Translate(error) => regex_error_message(error.kind()),
            other => regex_error_message(&other),
        })?;
        if lengths_of_pattern(&hir).is_none() {
            return Err("the pattern matches no text".to_owned());
        }
        let regex = RegexBuilder::new(&pattern).nest_limit(MAX_GROUP_DEPTH).size_limit(MAX_COMPILED_SIZE).build();
        let regex = regex.map_err(|_| "the pattern is too large: its repetitions multiply".to_owned())?;
        Ok(Self { regex, notation: parsed.notation(), ecma_pattern: to_ecma_pattern(&hir)?, hir })
    }

    /// Returns texts of several lengths that probably match the pattern, in the order of preference.
    pub(super) fn sample_texts(&self) -> impl Iterator<Item = String> {
        EXTRA_REPETITIONS.into_iter().filter_map(|extra| sample_text(&self.hir, extra))
    }
}

/// The sets of characters that are described in words, each with the words.
const CHARACTER_SETS: &[(&str, &str)] = &[
    ("[a-z]", "only lower-case letters (a-z)"),
    ("[A-Z]", "only capital letters (A-Z)"),
    ("[0-9]", "only digits"),
    (r"\d", "only digits"),
    ("[a-zA-Z]", "only letters (a-z, A-Z)"),
    ("[A-Za-z]", "only letters (a-z, A-Z)"),
    ("[a-z0-9]", "only lower-case letters (a-z) and digits"),
    ("[0-9a-f]", "only hexadecimal digits (0-9, a-f)"),
    ("[a-f0-9]", "only hexadecimal digits (0-9, a-f)"),
    ("[a-zA-Z0-9]", "only letters (a-z, A-Z) and digits"),
    ("[A-Za-z0-9]", "only letters (a-z, A-Z) and digits"),
    (r"[^\x00]", "without null characters"),
    (r"[^\x00-\x1F]", "without control characters"),
    (r"[^\x00-\x1f]", "without control characters"),
    (r"[^\x00-\x1F\x7F]", "without control characters"),
];

/// Describes a pattern after the description of a text: " that matches …", or the only allowed characters.
pub(super) fn describe_pattern(notation: &str) -> String {
    let set = notation.strip_prefix("/^").and_then(|rest| rest.strip_suffix("*$/").or(rest.strip_suffix("+$/")));
    match CHARACTER_SETS.iter().find(|(pattern, _)| Some(*pattern) == set) {
        Some((_, words)) => format!(", {words}"),
        None => format!(" that matches {notation}"),
    }
}

const MAX_GROUP_DEPTH: u32 = 50;

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
struct ParsedPattern {
    pattern: String,
    flags: String,
}

impl ParsedPattern {
    /// Parses the notation of a pattern, such as `/a+/i`, `{a+}` or `a+`.
    fn parse(text: &str) -> Result<Self, String> {
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
    fn notation(&self) -> String {
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

    fn to_regex(&self) -> Result<String, String> {
        let flags = self.flags.replace('u', "");
        let flags = if flags.is_empty() { flags } else { format!("(?{flags})") };
        let regex = format!("{flags}{}", self.pattern);
        if self.flags.contains('u') { Ok(regex) } else { replace_classes_by_ascii(&regex) }
    }
}

fn regex_error_message(error: &(impl Display + ?Sized)) -> String {
    format!("the pattern cannot be parsed: {error}")
}

/// Replaces `\d`, `\w`, `\s` and `\b` in a pattern by patterns that have the same meaning for ASCII texts.
///
/// The option of the regex parser for ASCII is not used, because it makes `.` match bytes that are not valid UTF-8.
fn replace_classes_by_ascii(pattern: &str) -> Result<String, String> {
    let ast = AstParserBuilder::new().nest_limit(MAX_GROUP_DEPTH).build().parse(pattern);
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

// Translates a parsed pattern to the syntax of ECMA-262, and uses only constructs that all regex engines treat alike.

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

/// Returns the smallest and the largest number of characters of the texts that match a pattern; `None` if no text
/// matches. There may be no text with these numbers, because assertions are not examined.
pub(super) fn lengths_of_pattern(hir: &Hir) -> Option<(u64, u64)> {
    let (min, max) = lengths(hir)?;
    let properties = hir.properties();
    let is_whole =
        properties.look_set_prefix().contains(Look::Start) && properties.look_set_suffix().contains(Look::End);
    Some((min, if is_whole { max } else { u64::MAX }))
}

/// Returns the smallest and the largest number of characters that a pattern consumes.
fn lengths(hir: &Hir) -> Option<(u64, u64)> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some((0, 0)),
        HirKind::Literal(literal) => {
            let count = String::from_utf8_lossy(&literal.0).chars().count() as u64;
            Some((count, count))
        }
        HirKind::Class(class) => (!class.is_empty()).then_some((1, 1)),
        HirKind::Capture(capture) => lengths(&capture.sub),
        HirKind::Repetition(repetition) => match lengths(&repetition.sub) {
            None => (repetition.min == 0).then_some((0, 0)),
            Some((_, 0)) => Some((0, 0)),
            Some((min, max)) => {
                let max = repetition.max.map_or(u64::MAX, |times| max.saturating_mul(times.into()));
                Some((min.saturating_mul(repetition.min.into()), max))
            }
        },
        HirKind::Concat(parts) => parts.iter().map(lengths).try_fold((0, 0), |(min, max): (u64, u64), part| {
            let (more_min, more_max) = part?;
            Some((min.saturating_add(more_min), max.saturating_add(more_max)))
        }),
        HirKind::Alternation(branches) => {
            let all = branches.iter().filter_map(lengths);
            all.reduce(|(min, max), (other_min, other_max)| (min.min(other_min), max.max(other_max)))
        }
    }
}

const MAX_SAMPLE_LEN: usize = 4096;

/// Returns a text that matches `hir` if the assertions are true for it. Each repeated part occurs `extra_repetitions`
/// times more often than required, up to its maximum.
pub(super) fn sample_text(hir: &Hir, extra_repetitions: u32) -> Option<String> {
    sample(hir, extra_repetitions, CharacterPicker::varied())
}

/// Returns the smallest text that [`sample_text`] could generate, of the first visible characters.
pub(super) fn minimal_sample(hir: &Hir) -> Option<String> {
    sample(hir, 0, CharacterPicker::first_visible())
}

fn sample(hir: &Hir, extra_repetitions: u32, characters: CharacterPicker) -> Option<String> {
    let mut sample = SampleBuilder { text: Vec::new(), extra_repetitions, characters };
    if sample.append_sample(hir) { String::from_utf8(sample.text).ok() } else { None }
}

struct SampleBuilder {
    /// The bytes of the text. A part of a pattern can match a part of a character.
    text: Vec<u8>,
    /// The number of times by which a repeated part occurs more often than required.
    extra_repetitions: u32,
    characters: CharacterPicker,
}

impl SampleBuilder {
    /// Appends a text that matches a part of the pattern. Returns `false` without such a text, or if it is too long.
    fn append_sample(&mut self, hir: &Hir) -> bool {
        let appended = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => {
                self.text.extend(&*literal.0);
                true
            }
            HirKind::Class(Class::Unicode(class)) => {
                let character = self.characters.pick(class);
                self.text.extend(character.into_iter().flat_map(|c| c.to_string().into_bytes()));
                character.is_some()
            }
            HirKind::Class(Class::Bytes(_)) => false,
            HirKind::Repetition(repetition) => {
                let max = repetition.max.unwrap_or(u32::MAX);
                self.append_repeated(&repetition.sub, repetition.min.saturating_add(self.extra_repetitions).min(max))
            }
            HirKind::Capture(capture) => self.append_sample(&capture.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.append_sample(part)),
            HirKind::Alternation(branches) => {
                let before = self.text.len();
                branches.iter().any(|branch| {
                    self.text.truncate(before);
                    self.append_sample(branch)
                })
            }
        };
        appended && self.text.len() <= MAX_SAMPLE_LEN
    }

    fn append_repeated(&mut self, part: &Hir, times: u32) -> bool {
        for _ in 0..times {
            let before = self.text.len();
            if !self.append_sample(part) {
                return false;
            }
            // If the part matches an empty text, further repetitions have no effect.
            if self.text.len() == before {
                return true;
            }
        }
        true
    }
}

/// The characters of sample texts, in groups. For a character class, the first group is used that has one of it.
const CHARACTER_GROUPS: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "1234567890",
    "-_.:/@+#%&=,;!?*()[]{}<>$~^|'\"`\\ ",
    "\n",
];

/// The maximum number of characters of a range in which a letter is searched, if no group has a character.
const MAX_SEARCHED_CHARACTERS: usize = 300;

#[derive(Debug)]
struct CharacterPicker {
    order: Order,
    /// The number of characters that have been used of each group, so that the next character differs.
    used_by_group: [usize; CHARACTER_GROUPS.len()],
}

#[derive(Debug)]
enum Order {
    FirstVisible,
    Groups,
    /// The characters of a group that depends on a seed. The number is the state of the generator.
    Seeded(u64),
}

impl CharacterPicker {
    fn first_visible() -> Self {
        Self { order: Order::FirstVisible, used_by_group: [0; CHARACTER_GROUPS.len()] }
    }

    /// Chooses letters before digits, and other characters each time.
    fn varied() -> Self {
        Self { order: Order::Groups, ..Self::first_visible() }
    }

    /// The choices depend on `seed`. The seed 0 is the same as [`CharacterPicker::varied`].
    fn seeded(seed: u64) -> Self {
        Self { order: if seed == 0 { Order::Groups } else { Order::Seeded(seed) }, ..Self::first_visible() }
    }

    /// Returns a number below `count` that depends on the seed; 0 without a seed.
    fn below(&mut self, count: usize) -> usize {
        let Order::Seeded(state) = &mut self.order else { return 0 };
        // A linear congruential generator (Knuth, The Art of Computer Programming, volume 2): its numbers need not be
        // unpredictable, only the same every time.
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 33).unwrap_or(0) % count.max(1)
    }

    fn pick(&mut self, class: &ClassUnicode) -> Option<char> {
        if matches!(self.order, Order::FirstVisible) {
            let visible = class.iter().find(|range| range.end() >= '!');
            return visible.or(class.ranges().first()).map(|range| range.start().max('!').min(range.end()));
        }
        let contains = |c: &char| class.iter().any(|range| (range.start()..=range.end()).contains(c));
        let groups = CHARACTER_GROUPS.map(|group| group.chars().filter(contains).collect::<Vec<char>>());
        let usable: Vec<usize> = (0..groups.len()).filter(|group| !groups[*group].is_empty()).collect();
        let Some(group) = usable.get(self.below(usable.len())) else {
            let characters =
                || class.iter().flat_map(|range| (range.start()..=range.end()).take(MAX_SEARCHED_CHARACTERS));
            return characters().find(|c| c.is_alphanumeric()).or(class.ranges().first().map(ClassUnicodeRange::start));
        };
        let used = &mut self.used_by_group[*group];
        *used += 1;
        groups[*group].get((*used - 1) % groups[*group].len()).copied()
    }
}

const MAX_LENGTH: usize = 4096;
/// The number of characters by which a sample text can be longer than required.
const MAX_ADDITIONAL: usize = 256;
const SEEDS: usize = 12;

/// Returns texts with `min` to `max` characters that match `hir`, unless one of its assertions is false for them.
pub(super) fn fitted_samples(hir: &Hir, min: u64, max: u64) -> impl Iterator<Item = String> {
    let min = usize::try_from(min).unwrap_or(usize::MAX);
    let max = usize::try_from(max).unwrap_or(usize::MAX).min(MAX_LENGTH);
    let limit = max.min(min.saturating_mul(2).max(min.saturating_add(MAX_ADDITIONAL)));
    let forms = [(false, false), (false, true), (true, false), (true, true)];
    let forms = forms.into_iter().filter(move |_| min <= limit).map(move |(before, after)| padded(hir, before, after));
    forms.flat_map(move |form| {
        (0..SEEDS).map_while(move |seed| {
            let mut texts = FittedTexts { limit, characters: CharacterPicker::seeded(seed as u64) }.of(&form);
            let mut fitting: Vec<String> = texts.drain(min..).flatten().collect();
            (!fitting.is_empty()).then(|| fitting.swap_remove(seed % fitting.len()))
        })
    })
}

/// Returns a pattern with any number of letters before or after the texts of `hir`. A pattern that is not bound to the
/// beginning and the end of a text also matches longer texts.
fn padded(hir: &Hir, before: bool, after: bool) -> Hir {
    let letters = || {
        let class = ClassUnicode::new([ClassUnicodeRange::new('a', 'z')]);
        let sub = Box::new(Hir::class(Class::Unicode(class)));
        Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub })
    };
    let parts = [before.then(letters), Some(hir.clone()), after.then(letters)];
    Hir::concat(parts.into_iter().flatten().collect())
}

/// For each number of characters up to the limit, a text with this number of characters, if there is one.
type TextsByLength = Vec<Option<String>>;

struct FittedTexts {
    limit: usize,
    characters: CharacterPicker,
}

impl FittedTexts {
    /// Returns a text of each possible length that matches a part of the pattern.
    fn of(&mut self, hir: &Hir) -> TextsByLength {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => self.only(Some(String::new())),
            HirKind::Literal(literal) => self.only(String::from_utf8(literal.0.to_vec()).ok()),
            HirKind::Class(Class::Unicode(class)) => {
                let character = self.characters.pick(class);
                self.only(character.map(String::from))
            }
            HirKind::Class(Class::Bytes(_)) => self.only(None),
            HirKind::Capture(capture) => self.of(&capture.sub),
            HirKind::Concat(parts) => {
                let empty = self.only(Some(String::new()));
                parts.iter().fold(empty, |texts, part| {
                    let more = self.of(part);
                    self.joined(&texts, &more)
                })
            }
            HirKind::Alternation(branches) => {
                let first = self.characters.below(branches.len());
                let branches = branches[first..].iter().chain(&branches[..first]);
                branches.fold(self.only(None), |texts, branch| either(texts, self.of(branch)))
            }
            HirKind::Repetition(repetition) => {
                let part = self.of(&repetition.sub);
                let required = self.repeated(&part, repetition.min as usize);
                let max = repetition.max.map_or(self.limit, |max| (max - repetition.min) as usize);
                let optional = either(self.only(Some(String::new())), part);
                self.joined(&required, &self.repeated(&optional, max.min(self.limit)))
            }
        }
    }

    fn only(&self, text: Option<String>) -> TextsByLength {
        let mut texts = vec![None; self.limit + 1];
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        if let Some(place) = texts.get_mut(length) {
            *place = text;
        }
        texts
    }

    fn joined(&self, firsts: &TextsByLength, seconds: &TextsByLength) -> TextsByLength {
        let mut joined = vec![None; self.limit + 1];
        for (length, start) in present(firsts) {
            for (more, end) in present(seconds).take_while(|(more, _)| length + more <= self.limit) {
                joined[length + more].get_or_insert_with(|| format!("{start}{end}"));
            }
        }
        joined
    }

    fn repeated(&self, part: &TextsByLength, times: usize) -> TextsByLength {
        if times == 0 {
            return self.only(Some(String::new()));
        }
        let half = self.repeated(part, times / 2);
        let twice = self.joined(&half, &half);
        if times.is_multiple_of(2) { twice } else { self.joined(&twice, part) }
    }
}

fn either(firsts: TextsByLength, seconds: TextsByLength) -> TextsByLength {
    firsts.into_iter().zip(seconds).map(|(first, second)| first.or(second)).collect()
}

/// Returns the texts with their lengths, from the shortest to the longest.
fn present(texts: &TextsByLength) -> impl Iterator<Item = (usize, &str)> {
    texts.iter().enumerate().filter_map(|(length, text)| Some((length, text.as_deref()?)))
}
