//! Compares JSON Schemas of strings: their lengths, lists of values and patterns.
//!
//! A pattern is compiled to a deterministic finite automaton (DFA). A walk through the automata of both schemas at the
//! same time finds a string that only the narrow schema accepts, or proves that no such string exists.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use serde_json::Value as Json;

use crate::includes::Inclusion;
use crate::single_values::Alternative;

/// The maximum size of an automaton in bytes. Patterns with a larger one are not compared.
const MAX_AUTOMATON_SIZE: usize = 8 << 20;
/// The maximum number of pairs of states that a walk visits.
const MAX_VISITED: usize = 50_000;
/// The length up to which lengths are compared together with patterns.
const MAX_LENGTH_IN_PATTERN: u64 = 2_000;

/// The maximum work for one pair of definitions: the bytes of all automata, and 1,000 for each pair of states that a
/// walk visits. Patterns that need more are not compared.
const MAX_WORK: usize = 200 << 20;
const WORK_PER_VISIT: usize = 1_000;

type Dfa = dense::DFA<Vec<u32>>;

/// Compiles each pattern in a pair of definitions once, because long texts have large automata.
#[derive(Default)]
pub(crate) struct Automata {
    compiled: HashMap<String, Option<Rc<Dfa>>>,
    work: usize,
}

impl Automata {
    fn compile(&mut self, pattern: &str) -> Option<Rc<Dfa>> {
        if let Some(compiled) = self.compiled.get(pattern) {
            return compiled.clone();
        }
        if self.work > MAX_WORK {
            return None;
        }
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .accelerate(false)
            .dfa_size_limit(Some(MAX_AUTOMATON_SIZE))
            .determinize_size_limit(Some(MAX_AUTOMATON_SIZE));
        let dfa = dense::Builder::new().configure(config).build(pattern).ok().map(Rc::new);
        self.work += dfa.as_ref().map_or(MAX_AUTOMATON_SIZE, |dfa| dfa.memory_usage());
        self.compiled.insert(pattern.to_owned(), dfa.clone());
        dfa
    }
}

/// A condition of a schema on its strings.
#[derive(Debug, Clone, PartialEq)]
enum Condition {
    /// The string contains a match of this pattern.
    Pattern(String),
    /// The string contains no match of this pattern.
    NotPattern(String),
    MinLength(u64),
    MaxLength(u64),
    /// A condition that is only compared for equality, such as a `format`.
    Opaque(String, Json),
}

/// Returns whether the schema of strings `wide` accepts every string of `narrow`.
pub(crate) fn includes_strings(automata: &mut Automata, wide: &Alternative, narrow: &Alternative) -> Inclusion {
    if let Some(inclusion) = wide.includes_listed_values(narrow) {
        return inclusion;
    }
    let (Some(wide_conditions), Some(narrow_conditions)) = (conditions(wide), conditions(narrow)) else {
        return Inclusion::Unknown;
    };
    let is_implied = |condition: &&Condition| {
        narrow_conditions.iter().any(|narrow| match (condition, narrow) {
            (Condition::MinLength(min), Condition::MinLength(narrow)) => narrow >= min,
            (Condition::MaxLength(max), Condition::MaxLength(narrow)) => narrow <= max,
            (condition, narrow) => *condition == narrow,
        })
    };
    let open: Vec<_> = wide_conditions.iter().filter(|condition| !is_implied(condition)).collect();
    let mut unknown = false;
    for condition in open {
        match counterexample(automata, &narrow_conditions, condition) {
            Some(None) => {}
            Some(Some(text)) => return Inclusion::Excluded(Some(text.into())),
            None => unknown = true,
        }
    }
    if unknown { Inclusion::Unknown } else { Inclusion::Included }
}

/// Returns the conditions of a schema. Returns `None` if one of its keywords is not a condition.
fn conditions(schema: &Alternative) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (keyword, value) in &schema.keywords {
        match (keyword.as_str(), value) {
            ("pattern", Json::String(pattern)) => conditions.push(Condition::Pattern(pattern.clone())),
            ("minLength", length) => conditions.push(Condition::MinLength(length.as_u64()?)),
            ("maxLength", length) => conditions.push(Condition::MaxLength(length.as_u64()?)),
            ("enum" | "const", _) => {
                let texts = schema.values()?;
                let texts: Option<Vec<_>> = texts.iter().map(|text| text.as_str().map(escape)).collect();
                conditions.push(Condition::Pattern(format!("^(?:{})$", texts?.join("|"))));
            }
            ("not", Json::Object(inner)) => match inner.get("pattern") {
                Some(Json::String(pattern)) if inner.len() <= 2 => {
                    conditions.push(Condition::NotPattern(pattern.clone()));
                }
                _ => conditions.push(Condition::Opaque(keyword.clone(), value.clone())),
            },
            ("allOf", Json::Array(schemas)) => {
                for schema in schemas {
                    let keywords = schema.as_object()?.clone();
                    conditions.extend(self::conditions(&Alternative::of_strings(keywords))?);
                }
            }
            _ => conditions.push(Condition::Opaque(keyword.clone(), value.clone())),
        }
    }
    Some(conditions)
}

fn escape(text: &str) -> String {
    // Letters and digits have no special meaning, and an escaped character of another kind stands for itself.
    text.chars().map(|char| format!("\\x{{{:x}}}", u32::from(char))).collect()
}

/// Returns a string that fulfills the conditions `narrow` and not the condition `wide`; `Some(None)` if no such string
/// exists, and `None` if that is not known.
fn counterexample(automata: &mut Automata, narrow: &[Condition], wide: &Condition) -> Option<Option<String>> {
    let mut used = Vec::new();
    for condition in narrow {
        // A string that fulfills fewer conditions may be no counterexample; the check of the narrow type decides.
        used.extend(automaton(automata, condition));
    }
    let (pattern, is_required) = automaton(automata, wide)?;
    used.push((pattern, !is_required));
    used.push((automata.compile("^(?s:.)*$")?, true));
    find_string(&used, &mut automata.work)
}

/// Returns the automaton of a condition, and whether strings must match it.
fn automaton(automata: &mut Automata, condition: &Condition) -> Option<(Rc<Dfa>, bool)> {
    let mut compile = |pattern: &str| automata.compile(pattern);
    let of_length = |min: u64, max: String| format!("^(?s:.){{{min},{max}}}$");
    Some(match condition {
        Condition::Pattern(pattern) => (compile(pattern)?, true),
        Condition::NotPattern(pattern) => (compile(pattern)?, false),
        Condition::MinLength(min) if *min <= MAX_LENGTH_IN_PATTERN => (compile(&of_length(*min, String::new()))?, true),
        Condition::MaxLength(max) if *max <= MAX_LENGTH_IN_PATTERN => (compile(&of_length(0, max.to_string()))?, true),
        _ => return None,
    })
}

/// The states of all automata after the same bytes, and for each whether a match has ended.
type States = Vec<(StateID, bool)>;

/// Returns the shortest string that each automaton matches, or does not match, as its flag says. Adds the work.
fn find_string(automata: &[(Rc<Dfa>, bool)], work: &mut usize) -> Option<Option<String>> {
    let start = start::Config::new().anchored(Anchored::No);
    let first: Option<States> = automata.iter().map(|(dfa, _)| Some((dfa.start_state(&start).ok()?, false))).collect();
    let first = first?;
    // Of the bytes that no automaton distinguishes, one is enough.
    let mut classes = HashSet::new();
    let class_in_each = |byte: u8| automata.iter().map(|(dfa, _)| dfa.byte_classes().get(byte)).collect::<Vec<_>>();
    let bytes: Vec<u8> = bytes_by_preference().filter(|byte| classes.insert(class_in_each(*byte))).collect();
    let mut visited: HashMap<States, Option<(States, u8)>> = HashMap::from([(first.clone(), None)]);
    let mut waiting = VecDeque::from([first]);
    while let Some(states) = waiting.pop_front() {
        let matches = |((dfa, is_required), (state, has_matched)): (&(Rc<Dfa>, bool), &(StateID, bool))| {
            let matches = *has_matched || dfa.is_match_state(dfa.next_eoi_state(*state));
            matches == *is_required
        };
        if automata.iter().zip(&states).all(matches) {
            return text_of(&visited, states).map(Some);
        }
        *work += WORK_PER_VISIT;
        if visited.len() > MAX_VISITED || *work > MAX_WORK {
            return None;
        }
        for &byte in &bytes {
            let mut next = States::with_capacity(states.len());
            for ((dfa, is_required), (state, has_matched)) in automata.iter().zip(&states) {
                let state = dfa.next_state(*state, byte);
                if dfa.is_quit_state(state) {
                    return None;
                }
                let has_matched = *has_matched || dfa.is_match_state(state);
                let is_hopeless = if *is_required { !has_matched && dfa.is_dead_state(state) } else { has_matched };
                if is_hopeless {
                    break;
                }
                next.push((state, has_matched));
            }
            if next.len() == states.len() && !visited.contains_key(&next) {
                visited.insert(next.clone(), Some((states.clone(), byte)));
                waiting.push_back(next);
            }
        }
    }
    Some(None)
}

/// Returns all bytes, beginning with those that people can read.
fn bytes_by_preference() -> impl Iterator<Item = u8> {
    let others = (0..=u8::MAX).filter(|byte| !byte.is_ascii_alphanumeric());
    (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').chain(others)
}

/// Returns the string that leads to the states.
fn text_of(visited: &HashMap<States, Option<(States, u8)>>, mut states: States) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(Some((previous, byte))) = visited.get(&states) {
        bytes.push(*byte);
        states = previous.clone();
    }
    bytes.reverse();
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(wide: &str, narrow: &str) -> Option<Option<String>> {
        let (narrow, wide) = (Condition::Pattern(narrow.to_owned()), Condition::Pattern(wide.to_owned()));
        counterexample(&mut Automata::default(), &[narrow], &wide)
    }

    #[test]
    fn patterns_are_not_compared_after_too_much_work() {
        let [narrow, wide] = ["^a$", "^[ab]$"].map(|pattern| Condition::Pattern(pattern.to_owned()));
        let compare =
            |work| counterexample(&mut Automata { work, ..Automata::default() }, std::slice::from_ref(&narrow), &wide);
        assert_eq!((compare(0), compare(MAX_WORK + 1)), (Some(None), None));
    }

    #[test]
    fn patterns_are_compared_by_the_strings_that_they_match() {
        let cases = [
            ("^[a-z]{1,20}$", "^[a-z]{1,10}$", None),
            ("^[a-z]{1,10}$", "^[a-z]{1,20}$", Some("aaaaaaaaaaa")),
            ("b", "^abc$", None),
            ("^b", "b", Some("ab")),
            ("^(?:ä|b)$", "^[bä]$", None),
            ("^.$", "^[ä]{2}$", Some("ää")),
        ];
        for (wide, narrow, expected) in cases {
            assert_eq!(compare(wide, narrow), Some(expected.map(str::to_owned)), "{wide} {narrow}");
        }
        assert_eq!(compare("^(?=a)a$", "^a$"), None, "look-around is not supported");
    }
}
