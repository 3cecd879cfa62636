//! The ways of writing a definition. After loading nobody knows them.
//!
//! In charge of recognising how a file is written and of reading it into
//! modules of the written form. Must not know what is in other files.

mod method;
mod methods;
mod rules;
mod tree;

pub(super) use tree::module;

use super::keys::methods::BETWEEN;
use super::keys::{MODULE, PARAMETER};
use super::manner;
use super::object::{Object, is_remark, wrong_kind};
use super::text::{Data, Member, Members, Node};
use super::written::{Module, Parameter};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Place;

/// Reads a file's modules. The name is the one that a module has without `module`.
type Read = fn(name: &str, node: &Node, faults: &mut Vec<Diagnostic>) -> Vec<Module>;

/// A way of writing a definition.
struct Dialect {
    /// Its name, as `"dialect"` gives it.
    name: &'static str,
    /// Its reader.
    read: Read,
}

const TREE: Dialect = Dialect { name: manner::TREE.dialect, read: tree::read };

const METHODS: Dialect = Dialect { name: manner::METHODS.dialect, read: methods::read };

const RULES: Dialect = Dialect { name: manner::RULES.dialect, read: rules::read };

/// Every dialect once.
const TABLE: [&Dialect; 3] = [&TREE, &METHODS, &RULES];

/// Reads the parameters that every method has out of the settings, and whether they are written as rules.
pub(super) fn common(settings: &mut Object<'_>, faults: &mut Vec<Diagnostic>) -> (Vec<Parameter>, bool) {
    let members = match settings.get("common").map(|node| &node.data) {
        Some(Data::Object(members)) => members,
        _ => return (Vec::new(), false),
    };
    if rules::is_common(members) {
        let rules = settings.object("common", &rules::COMMON, faults);
        (rules.map_or_else(Vec::new, |own| rules::common(&own, faults)), true)
    } else {
        (settings.named("common", &PARAMETER, faults, method::canonical_parameter), false)
    }
}

/// The HTTP methods that give a tree away.
pub(crate) const METHOD_NAMES: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// Reads a file of modules in the dialect that it is written in.
pub(super) fn read(name: &str, node: &Node, faults: &mut Vec<Diagnostic>) -> Vec<Module> {
    let recognised = match &node.data {
        Data::List(_) => Ok(&TREE),
        Data::Object(members) => recognise(members),
        _ => Err(wrong_kind("a definition", "an object or a list", node)),
    };
    match recognised {
        Ok(dialect) => (dialect.read)(name, node, faults),
        Err(fault) => {
            faults.push(fault);
            Vec::new()
        }
    }
}

/// The dialect of an object.
fn recognise(members: &Members) -> Result<&'static Dialect, Diagnostic> {
    let named = |name: &str| members.list.iter().find(|member| member.key.value == name);
    if let Some(member) = named("dialect") {
        return called(&member.value);
    }
    if members.list.iter().any(marks_tree) {
        return Ok(&TREE);
    }
    let below = || {
        let modules = members.list.iter().filter(|member| !is_remark(member));
        modules.filter_map(|member| match &member.value.data {
            Data::Object(inner) => Some(inner),
            _ => None,
        })
    };
    let second = || below().flat_map(|inner| &inner.list).map(|member| member.key.value.as_str());
    if second().any(|key| key.contains(BETWEEN)) {
        return Ok(&METHODS);
    }
    // A URI that stands at the top, where "/" was forgotten, is not taken for a class.
    let forgotten = second().any(|key| key == "/" || METHOD_NAMES.contains(&key));
    Ok(if forgotten || below().next().is_none() { &TREE } else { &RULES })
}

/// The dialect that `"dialect"` names.
fn called(node: &Node) -> Result<&'static Dialect, Diagnostic> {
    let Data::Text(name) = &node.data else {
        return Err(wrong_kind("`dialect`", "a string", node));
    };
    let names = TABLE.iter().map(|dialect| dialect.name);
    match TABLE.iter().find(|dialect| dialect.name == name) {
        Some(dialect) => Ok(dialect),
        None => Err(Diagnostic::new(Code::UnknownDialect, node.place, format!("there is no dialect `{name}`"))
            .help(format!("the dialects are {}", list(names.clone())))
            .suggest(name, names)),
    }
}

/// Whether a member of the top level stands in trees only: `/`, a method in
/// whatever case, a word about the module, or what is written like a method of
/// a name that HTTP may have.
fn marks_tree(member: &Member) -> bool {
    let key = &member.key.value;
    let is_method = METHOD_NAMES.iter().any(|name| name.eq_ignore_ascii_case(key));
    let is_upper = key.bytes().all(|byte| byte.is_ascii_uppercase());
    key == "/"
        || is_method
        || match &member.value.data {
            Data::Object(inner) => is_upper && inner.list.iter().any(is_info),
            _ => MODULE.keys.iter().any(|known| known.name == key),
        }
}

/// Whether a member is the `info` of what it stands in.
fn is_info(member: &Member) -> bool {
    member.key.value == "info" && matches!(member.value.data, Data::Text(_))
}

/// The first byte of a place, for what is too long to be pointed at.
fn start_of(place: Place) -> Place {
    place.within(0, 1)
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
