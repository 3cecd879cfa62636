//! Patterns of names of files as schemas have them, and names that are like them.
//!
//! A name is composed before a pattern is held against it, and a schema sees the text as it came. So the pattern of the
//! schema keeps the ASCII of the other one alone, which composing hardly changes, and lets anything be between: what is
//! like the one is like the other, and not the reverse.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use super::ecma;

/// What composing turns into an ASCII character.
const SINGLETONS: &[(char, char)] = &[('K', '\u{212A}'), (';', '\u{37E}'), ('`', '\u{1FEF}')];

/// A longer pattern helps nobody who reads a schema.
const LONGEST: usize = 2048;

/// What every name is like, rough as it is: characters that are in none, and no dot in front. `<` and `>` are in none
/// either, but may be composed into others.
pub(in crate::types) const ANY: &str = concat!(
    r#"^(?:\./)?(?:[^\x00-\x1F\x7F"%*./:?\\|][^\x00-\x1F\x7F"%*/:?\\|]*/)*"#,
    r#"[^\x00-\x1F\x7F"%*./:?\\|][^\x00-\x1F\x7F"%*/:?\\|]*$"#
);

/// Patterns for schemas and samples, from what the patterns are as regular expressions.
#[derive(Debug)]
pub(in crate::types) struct NamePatterns(Vec<Hir>);

impl NamePatterns {
    /// Reads them; none where one cannot be read.
    pub(in crate::types) fn parse<'p>(regexes: impl IntoIterator<Item = &'p str>) -> Option<Self> {
        let parse = |regex| {
            let mut parser = ParserBuilder::new().dot_matches_new_line(true).build();
            parser.parse(regex).ok()
        };
        regexes.into_iter().map(parse).collect::<Option<_>>().map(Self)
    }

    /// One pattern of ECMA-262 for what all that is like any of them is like; none where it would be long.
    pub(in crate::types) fn ecma(&self) -> Option<String> {
        let here = Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(Hir::literal(*b"./")) };
        let any = Hir::alternation(self.0.iter().map(loosened).collect());
        let whole = [Hir::look(Look::Start), Hir::repetition(here), any, Hir::look(Look::End)];
        ecma::print(&Hir::concat(whole.into())).ok().filter(|pattern| pattern.len() <= LONGEST)
    }

    /// Names that are probably like them: of each a short one and a longer one.
    pub(in crate::types) fn samples(&self) -> impl Iterator<Item = String> {
        let samples = |pattern| [false, true].map(|long| String::from_utf8(sample(pattern, long)?).ok());
        self.0.iter().flat_map(samples).flatten()
    }
}

/// The pattern for texts that are not composed yet. It stands between `^` and `$`.
fn loosened(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            let bytes = literal.0.chunk_by(|a, b| a.is_ascii() == b.is_ascii());
            let parts = bytes.flat_map(|run| match run.first().is_some_and(u8::is_ascii) {
                true => run.iter().map(|byte| ascii([(char::from(*byte), char::from(*byte))])).collect(),
                false => vec![anything(false)],
            });
            Hir::concat(parts.collect())
        }
        HirKind::Class(class) => self::class(class),
        HirKind::Repetition(repetition) => match loosened(&repetition.sub) {
            // Anything, so many times, is anything.
            sub if matches!(sub.kind(), HirKind::Repetition(own) if own.max.is_none()) => sub,
            sub => Hir::repetition(repetition.with(sub)),
        },
        HirKind::Capture(capture) => loosened(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(loosened).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(loosened).collect()),
    }
}

fn class(class: &Class) -> Hir {
    match class {
        // What is like nothing is a class without bytes.
        Class::Bytes(_) => Hir::fail(),
        Class::Unicode(class) if class.is_ascii() => ascii(class.iter().map(|range| (range.start(), range.end()))),
        Class::Unicode(class) => anything(has(class, '/')),
    }
}

/// Whether a class has a character.
fn has(class: &ClassUnicode, char: char) -> bool {
    class.iter().any(|range| (range.start()..=range.end()).contains(&char))
}

/// ASCII characters, and what is composed to them.
fn ascii(ranges: impl IntoIterator<Item = (char, char)>) -> Hir {
    let mut class = ClassUnicode::empty();
    for (start, end) in ranges {
        class.push(ClassUnicodeRange::new(start, end));
        let composed = SINGLETONS.iter().filter(|(ascii, _)| (start..=end).contains(ascii));
        composed.for_each(|(_, other)| class.push(ClassUnicodeRange::new(*other, *other)));
    }
    Hir::class(Class::Unicode(class))
}

/// Any characters: of one part of a name, or of several.
fn anything(parts: bool) -> Hir {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new('/', '/')]);
    class.negate();
    if parts {
        class.push(ClassUnicodeRange::new('/', '/'));
    }
    let sub = Box::new(Hir::class(Class::Unicode(class)));
    Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub })
}

/// The bytes of a name that is like a pattern.
fn sample(hir: &Hir, long: bool) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(Vec::new()),
        HirKind::Literal(literal) => Some(literal.0.to_vec()),
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Class(Class::Unicode(class)) => {
            let usual = std::iter::once('a').chain('0'..='~').find(|char| has(class, *char));
            let char = usual.or_else(|| class.ranges().first().map(ClassUnicodeRange::start))?;
            Some(char.to_string().into_bytes())
        }
        HirKind::Repetition(repetition) => {
            // What may be there any number of times is there: most parts would be empty without it.
            let more = u32::from(repetition.max.is_none()) * (1 + u32::from(long));
            Some(sample(&repetition.sub, long)?.repeat(repetition.min.max(more) as usize))
        }
        HirKind::Capture(capture) => sample(&capture.sub, long),
        HirKind::Concat(parts) => {
            parts.iter().map(|part| sample(part, long)).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
        }
        HirKind::Alternation(branches) => {
            let mut branches = branches.iter().filter_map(|branch| sample(branch, long));
            if long { branches.next_back() } else { branches.next() }
        }
    }
}
