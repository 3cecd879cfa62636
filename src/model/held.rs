//! What of an API somebody may call who holds some permissions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Api, From, Method, Parameter, Permission, Segment, Service, ServiceQuery, When, variable};

/// The most ways to meet a scope that are told; where there are more, the method is shown without them.
const MOST_WAYS: usize = 1_000;

/// Values of variables.
type Row<'a> = BTreeMap<&'a str, &'a str>;

impl Api {
    /// The API as it is to somebody who holds these permissions: the methods that everybody may call, and those with a
    /// group of which all can be held together for some values of its variables. Scopes stay as they are written, and
    /// say [when](super::Scope::when) they are met. Services without a method are left out, and modules without
    /// services.
    ///
    /// Values are looked for where the check of their parameter [says so](crate::types::Check::text_for): of which
    /// texts functions of `after` would make them is not known.
    #[must_use]
    pub fn for_holder(&self, held: &[Box<str>]) -> Self {
        let mut api = self.clone();
        for module in &mut api.modules {
            for service in &mut module.services {
                service.methods.retain_mut(|method| {
                    let ways = if method.scope.is_public() { None } else { ways(method, held) };
                    let callable = ways.as_ref().is_none_or(|ways| !ways.is_empty());
                    method.scope.when = ways.filter(|_| method.scope.has_variables());
                    callable
                });
            }
            module.services.retain(|service| !service.methods.is_empty());
        }
        api.modules.retain(|module| !module.services.is_empty());
        if !api.has_default_service() {
            api.service = ServiceQuery { default: None, ..api.service };
        }
        api
    }

    /// Whether the service is there that answers where the query of base names none.
    fn has_default_service(&self) -> bool {
        let name = self.service.default.as_ref().map_or("", |name| &name.value);
        let whole = name.strip_prefix("App.").filter(|rest| rest.contains('.')).unwrap_or(name);
        let Some((class, name)) = whole.split_once('.') else { return false };
        let is_it = |service: &Service| match service.path.as_slice() {
            [Segment::Static(first), Segment::Static(second)] => {
                is_class(class, first) && name.eq_ignore_ascii_case(second)
            }
            _ => false,
        };
        self.modules.iter().flat_map(|module| &module.services).any(is_it)
    }
}

/// Whether both are the name of one class: the first letter has no case, as in PHP.
fn is_class(one: &str, other: &str) -> bool {
    let first = |name: &str| name.chars().next().map(|letter| letter.to_ascii_lowercase());
    first(one) == first(other) && one.chars().skip(1).eq(other.chars().skip(1))
}

/// In which ways somebody who holds these permissions meets the scope of a method; none where there are too many to
/// tell.
fn ways(method: &Method, held: &[Box<str>]) -> Option<Vec<When>> {
    let groups: Vec<_> = method.scope.groups.iter().map(|group| group_ways(method, group, held)).collect();
    if groups.iter().flatten().flatten().any(BTreeMap::is_empty) {
        return Some(vec![When::new()]);
    }
    let mut ways: Vec<When> = groups.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let mut known = BTreeSet::new();
    ways.retain(|way| known.insert(way.clone()));
    for (name, values) in ways.iter_mut().flatten() {
        if let Some(own) = parameter(method, name) {
            values.iter_mut().for_each(|value| *value = text_for(own, value).unwrap_or_default());
        }
    }
    (ways.len() <= MOST_WAYS).then_some(ways)
}

/// In which ways all permissions of a group are held together.
fn group_ways(method: &Method, group: &[Permission], held: &[Box<str>]) -> Option<Vec<When>> {
    let rows: Vec<_> = group.iter().map(|permission| rows(method, permission, held)).collect();
    if rows.iter().any(Vec::is_empty) {
        return Some(Vec::new());
    }
    // What has no variable in common is free of each other.
    let mut parts: Vec<Vec<Row<'_>>> = Vec::new();
    for mut rows in rows {
        let (related, others) = parts.into_iter().partition(|part| shares(part, &rows));
        parts = others;
        for part in related {
            rows = join(&part, &rows)?;
        }
        if rows.is_empty() {
            return Some(Vec::new());
        }
        parts.push(rows);
    }
    let mut ways = vec![When::new()];
    for part in parts {
        let more = alternatives(&part);
        if ways.len().saturating_mul(more.len()) > MOST_WAYS {
            return None;
        }
        let with = |way: &When, other: &When| way.iter().chain(other).map(|(k, v)| (k.clone(), v.clone())).collect();
        ways = ways.iter().flat_map(|way| more.iter().map(|other| with(way, other))).collect();
    }
    Some(ways)
}

/// The values of a permission's variables in those that are held.
fn rows<'a>(method: &'a Method, permission: &'a Permission, held: &'a [Box<str>]) -> Vec<Row<'a>> {
    let possible = |row: &Row<'_>| {
        row.iter().all(|(name, value)| parameter(method, name).is_some_and(|own| text_for(own, value).is_some()))
    };
    let rows = held.iter().filter_map(|held| permission.values(held)).filter(possible);
    rows.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The parameter of this name in code.
fn parameter<'a>(method: &'a Method, name: &str) -> Option<&'a Parameter> {
    method.parameters.iter().find(|own| own.name == name)
}

/// The text by which a request gives a parameter this value; none where it cannot.
fn text_for(parameter: &Parameter, value: &str) -> Option<String> {
    let check = &*parameter.r#type.check;
    let text = check.text_for(value)?;
    let sendable = match parameter.from {
        // An empty segment is one that is left out.
        From::Path | From::Position(_) => !text.is_empty(),
        // Blanks around the value of a header field are not part of it (RFC 9110 section 5.5).
        From::Header => text.trim_matches([' ', '\t']) == text && !text.contains(['\r', '\n', '\0']),
        From::Query | From::Body | From::Any | From::Cookie => true,
    };
    let made = variable(check, check.decode(Cow::Borrowed(&text)));
    (sendable && made.is_some_and(|made| made == value)).then_some(text)
}

/// Whether two lists of rows have a variable in common. All rows of a list have the same.
fn shares(one: &[Row<'_>], other: &[Row<'_>]) -> bool {
    one.first().zip(other.first()).is_some_and(|(one, other)| one.keys().any(|name| other.contains_key(name)))
}

/// The rows of both together that agree; none where there are too many.
fn join<'a>(one: &[Row<'a>], other: &[Row<'a>]) -> Option<Vec<Row<'a>>> {
    let mut joined = Vec::new();
    for left in one {
        let agrees = |right: &&Row<'_>| right.iter().all(|(name, value)| left.get(name).is_none_or(|own| own == value));
        for right in other.iter().filter(agrees) {
            joined.push(left.iter().chain(right).map(|(name, value)| (*name, *value)).collect());
            if joined.len() > MOST_WAYS {
                return None;
            }
        }
    }
    Some(joined)
}

/// Rows as ways: those of one variable are one way with all of its values.
fn alternatives(rows: &[Row<'_>]) -> Vec<When> {
    let way = |row: &Row<'_>| row.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
    match rows.first().map(BTreeMap::len) {
        Some(1) => {
            let mut one = When::new();
            for (name, value) in rows.iter().flatten() {
                one.entry((*name).to_owned()).or_default().push((*value).to_owned());
            }
            vec![one]
        }
        _ => rows.iter().map(way).collect(),
    }
}
