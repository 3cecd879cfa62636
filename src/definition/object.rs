//! Objects of a definition, held against their table of keys.
//!
//! Opening one tells unknown keys and values of the wrong kind, and leaves them
//! out. What is left can be taken without further questions.

use serde_json::Value as Json;

use super::keys::rules::COMMON;
use super::keys::{Key, Keys, Kind, REMARKS};
use super::text::{Data, Member, Members, Node};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::place::{Place, Placed};

/// An object whose members all are what its table says.
pub(super) struct Object<'a> {
    members: Vec<&'a Member>,
    /// Where the whole of it stands.
    pub place: Place,
    /// Whether a member was faulty and is left out.
    pub damaged: bool,
}

impl<'a> Object<'a> {
    /// Opens an object. None where the value is another one, which is told.
    pub fn open(node: &'a Node, keys: &'static Keys, faults: &mut Vec<Diagnostic>) -> Option<Self> {
        match &node.data {
            Data::Object(members) => Some(Self::of(members, node.place, keys, faults)),
            Data::List(_) if is_empty_list(keys, node) => {
                Some(Self { members: Vec::new(), place: node.place, damaged: false })
            }
            _ => {
                faults.push(wrong_kind(keys.what, "an object", node));
                None
            }
        }
    }

    fn of(members: &'a Members, place: Place, keys: &'static Keys, faults: &mut Vec<Diagnostic>) -> Self {
        let mut object = Self { members: Vec::with_capacity(members.list.len()), place, damaged: members.damaged };
        // Where names are the author's own, one may begin like a remark.
        let known = |member: &&Member| !is_remark(member) || (keys.names.is_some() && is_object(member));
        for member in members.list.iter().filter(known) {
            let fault = match keys.find(&member.key.value) {
                Some(kind) => check(kind, member),
                None => Some(unknown(keys, member)),
            };
            match fault {
                Some(fault) => {
                    object.damaged = true;
                    faults.push(fault);
                }
                None => object.members.push(member),
            }
        }
        object
    }

    /// Its members, in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = &'a Member> {
        self.members.iter().copied()
    }

    /// What `key` holds.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.members().find(|member| member.key.value == key).map(|member| &member.value)
    }

    /// Whether it has `key`.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The string that `key` holds.
    pub fn text(&self, key: &str) -> Option<Placed<String>> {
        let node = self.get(key)?;
        match &node.data {
            Data::Text(text) => Some(Placed::new(text.clone(), node.place)),
            _ => None,
        }
    }

    /// The strings that `key` holds, and where their list stands.
    pub fn texts(&self, key: &str) -> Option<Placed<Vec<Placed<String>>>> {
        let node = self.get(key)?;
        let Data::List(items) = &node.data else { return None };
        let text = |item: &Node| match &item.data {
            Data::Text(text) => Some(Placed::new(text.clone(), item.place)),
            _ => None,
        };
        Some(Placed::new(items.iter().filter_map(text).collect(), node.place))
    }

    /// Whether `key` holds true.
    pub fn flag(&self, key: &str) -> Option<Placed<bool>> {
        let node = self.get(key)?;
        flag(node).map(|flag| Placed::new(flag, node.place))
    }

    /// The whole number that `key` holds.
    pub fn whole(&self, key: &str) -> Option<Placed<u64>> {
        let node = self.get(key)?;
        whole(node).map(|number| Placed::new(number, node.place))
    }

    /// Whatever `key` holds.
    pub fn json(&self, key: &str) -> Option<Placed<Json>> {
        let node = self.get(key)?;
        Some(Placed::new(node.json(), node.place))
    }

    /// Opens the object that `key` holds.
    pub fn object(&mut self, key: &str, keys: &'static Keys, faults: &mut Vec<Diagnostic>) -> Option<Object<'a>> {
        let object = Object::open(self.get(key)?, keys, faults)?;
        self.damaged |= object.damaged;
        Some(object)
    }

    /// Reads the named objects that `key` holds, in the order of the text.
    pub fn named<T>(
        &mut self,
        key: &str,
        keys: &'static Keys,
        faults: &mut Vec<Diagnostic>,
        read: impl Fn(Placed<String>, &mut Object<'a>, &mut Vec<Diagnostic>) -> T,
    ) -> Vec<T> {
        let Some(Data::Object(named)) = self.get(key).map(|node| &node.data) else {
            return Vec::new();
        };
        self.damaged |= named.damaged;
        let mut all = Vec::with_capacity(named.list.len());
        for member in authors_own(named) {
            match Object::open(&member.value, keys, faults) {
                Some(mut object) => all.push(read(member.key.clone(), &mut object, faults)),
                None => self.damaged = true,
            }
        }
        all
    }
}

/// The members of an object whose keys are names of the author's. A name may
/// begin like a remark, so only what holds no object is taken for one.
pub(super) fn authors_own(members: &Members) -> impl Iterator<Item = &Member> {
    members.list.iter().filter(move |member| is_object(member) || !is_remark(member))
}

/// Whether a list stands for an object of these keys without members.
fn is_empty_list(keys: &Keys, node: &Node) -> bool {
    keys.empty_list && matches!(&node.data, Data::List(items) if items.is_empty())
}

fn is_object(member: &Member) -> bool {
    matches!(member.value.data, Data::Object(_))
}

/// Whether a member is for other readers than this one.
pub(super) fn is_remark(member: &Member) -> bool {
    REMARKS.iter().any(|start| member.key.value.starts_with(start))
}

/// Whether a value says true. Only some keys let a string say it, which is checked when the object is opened.
fn flag(node: &Node) -> Option<bool> {
    match &node.data {
        Data::Bool(flag) => Some(*flag),
        Data::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// The whole number that a value is, however it is written: `10`, `10.0`, `1e1`.
fn whole(node: &Node) -> Option<u64> {
    let Data::Number(number) = &node.data else {
        return None;
    };
    // Floats are exact for whole numbers up to 2^53.
    let exact = |float: &f64| float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(float);
    number.as_u64().or_else(|| number.as_f64().filter(exact).map(|float| float as u64))
}

/// Checks the kind of what a key holds.
fn check(kind: Kind, member: &Member) -> Option<Diagnostic> {
    let node = &member.value;
    let (fits, expected) = match kind {
        Kind::Text => (matches!(node.data, Data::Text(_)), "a string"),
        Kind::Bool => (matches!(node.data, Data::Bool(_)), "true or false"),
        Kind::Flag => (flag(node).is_some(), "true or false"),
        Kind::Whole => (whole(node).is_some(), "a whole number from 0"),
        Kind::Texts => return texts(member),
        Kind::Words if matches!(node.data, Data::List(_)) => return texts(member),
        Kind::Words => (matches!(node.data, Data::Text(_)), "a string or a list of strings"),
        Kind::Scope => (matches!(node.data, Data::List(_)), "a list of lists of strings"),
        Kind::Permissions => (matches!(node.data, Data::List(_)), "a list of strings"),
        Kind::Object(keys) if is_empty_list(keys, node) => (true, ""),
        Kind::Common if is_empty_list(&COMMON, node) => (true, ""),
        Kind::Object(_) | Kind::Named(_) | Kind::Common => (matches!(node.data, Data::Object(_)), "an object"),
        Kind::List(_) => (matches!(node.data, Data::List(_)), "a list of objects"),
        Kind::Any => (true, ""),
    };
    (!fits).then(|| wrong_kind(&format!("`{}`", member.key.value), expected, node))
}

/// Checks a list of strings, and each of them.
fn texts(member: &Member) -> Option<Diagnostic> {
    let what = format!("`{}`", member.key.value);
    let Data::List(items) = &member.value.data else {
        return Some(wrong_kind(&what, "a list of strings", &member.value));
    };
    let other = items.iter().find(|item| !matches!(item.data, Data::Text(_)))?;
    Some(wrong_kind(&format!("each member of {what}"), "a string", other))
}

/// The fault that a value is of another kind than what stands there has to be.
pub(super) fn wrong_kind(what: &str, expected: &str, node: &Node) -> Diagnostic {
    Diagnostic::new(Code::WrongKind, node.place, format!("{what} must be {expected}, but this is {}", node.kind()))
        .label(format!("expected {expected}"))
}

fn unknown(keys: &'static Keys, member: &Member) -> Diagnostic {
    let word = &member.key.value;
    let fault = Diagnostic::new(Code::UnknownKey, member.key.place, format!("`{word}` is no key of {}", keys.what));
    let known = || keys.iter().map(|key: &Key| key.name);
    match (nearest(word, known()), keys.hint) {
        (Some(near), _) => fault.help(format!("did you mean `{near}`?")),
        (None, Some(hint)) => fault.help(hint),
        (None, None) => {
            let list: Vec<String> = known().map(|name| format!("`{name}`")).collect();
            fault.help(format!("the known keys are {}", list.join(", ")))
        }
    }
}
