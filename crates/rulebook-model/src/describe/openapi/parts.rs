//! The parts of operations that a document shares: parameters, request bodies and responses. A part that occurs more
//! than once with the same content is written once, as a component, and each operation refers to the component. A part
//! that occurs once is written in its operation.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::component_name::folded;
use super::schemas::Schemas;
use crate::distinct_names::{candidates, distinct_names};

pub(super) type PartIndex = usize;

/// All parts of one kind, such as parameters, that the operations of a document have.
pub(super) struct Parts {
    /// The member of the document's components that contains shared parts of this kind.
    member: &'static str,
    parts: Vec<Part>,
    /// The index of each part, by its scope and its text.
    indexes: HashMap<(Rc<str>, Rc<str>), PartIndex>,
}

/// A part. Parts are kept as text, which needs much less memory than JSON values.
struct Part {
    text: Rc<str>,
    occurrences: usize,
    name: PartName,
    /// The name of the component; `None` if the part is written in its operation.
    component_name: Option<String>,
}

/// The names that the component of a part can have.
#[derive(Debug, Clone)]
pub(super) struct PartName {
    /// The module or the method within which equal parts are one component, so that its name depends on nothing
    /// outside; empty for the whole document.
    pub(super) scope: String,
    /// The names. The component has the first one that no other component can have.
    pub(super) candidates: Vec<String>,
    /// `true` if the part is a component even if it occurs only once.
    pub(super) is_always_component: bool,
}

impl Parts {
    /// Creates an empty collection of parts. `member` is the member of the document's components for these parts.
    pub(super) fn new(member: &'static str) -> Self {
        Self { member, parts: Vec::new(), indexes: HashMap::new() }
    }

    /// Returns the index of the part with this content. If no such part exists, it is added. `part` can contain
    /// placeholders for schemas.
    pub(super) fn find_or_add(&mut self, part: &impl Serialize, name: PartName, schemas: &mut Schemas) -> PartIndex {
        // Serializing a part of the document never fails.
        let mut json = serde_json::to_value(part).unwrap_or_default();
        schemas.fill_placeholders(&mut json);
        let text: Rc<str> = json.to_string().into();
        let next = self.parts.len();
        let index = *self.indexes.entry((name.scope.as_str().into(), Rc::clone(&text))).or_insert(next);
        if index == next {
            self.parts.push(Part { text, occurrences: 0, name, component_name: None });
        }
        index
    }

    pub(super) fn count_occurrence(&mut self, index: PartIndex) {
        if let Some(part) = self.parts.get_mut(index) {
            part.occurrences += 1;
        }
    }

    /// Returns those of the parts that are components: the parts that occur more than once, and error responses.
    fn components(&mut self) -> impl Iterator<Item = &mut Part> {
        self.parts.iter_mut().filter(|part| part.occurrences > 1 || part.name.is_always_component)
    }

    /// Returns the components of all kinds of parts, and gives them names. No two of them, and none of the names in
    /// `reserved`, are the same to a generator of code, which can write all of them to one file.
    pub(super) fn name_components<const N: usize>(
        mut kinds: [&mut Self; N],
        reserved: &HashSet<String>,
    ) -> [(&'static str, Map<String, Json>); N] {
        let names = |part: &mut Part| candidates(part.name.candidates.clone(), ".", &part.text);
        let all = kinds.iter_mut().flat_map(|parts| parts.components().map(names));
        let all = all.chain(reserved.iter().map(|name| vec![name.clone()]));
        let mut names = distinct_names(all, folded).into_iter();
        kinds.map(|parts| {
            let mut components = Map::new();
            for part in parts.components() {
                let name = names.next().unwrap_or_default();
                components.insert(name.clone(), parse_part(&part.text));
                part.component_name = Some(name);
            }
            components.sort_keys();
            (parts.member, components)
        })
    }

    pub(super) fn part_in_operation(&self, index: PartIndex) -> PartInOperation<'_> {
        let part = self.parts.get(index);
        match part.map(|part| (&part.component_name, &*part.text)) {
            Some((Some(name), _)) => PartInOperation::Reference { member: self.member, name },
            Some((None, text)) => PartInOperation::Inline(text),
            None => PartInOperation::Inline("{}"),
        }
    }
}

/// A part as an operation contains it: a reference to a component, or the JSON text of the part.
pub(super) enum PartInOperation<'p> {
    /// A reference to the component `name` in the member `member` of the components.
    Reference { member: &'static str, name: &'p str },
    /// The JSON text of the part.
    Inline(&'p str),
}

impl Serialize for PartInOperation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Reference { member, name } => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry("$ref", &format_args!("#/components/{member}/{name}"))?;
                object.end()
            }
            Self::Inline(text) => serde_json::from_str::<Json>(text).map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

fn parse_part(text: &str) -> Json {
    // The text was made from a JSON value, so that it is always valid.
    serde_json::from_str(text).unwrap_or_default()
}
