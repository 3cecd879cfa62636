//! The parts of operations that a document shares: parameters, request bodies and responses. A part that occurs more
//! than once with the same content is written once, as a component, and each operation refers to the component. A part
//! that occurs once is written in its operation.

use std::collections::HashMap;
use std::rc::Rc;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::schemas::{Schemas, to_component_name};

pub(super) type PartIndex = usize;

/// All parts of one kind, such as parameters, that the operations of a document have.
pub(super) struct Parts<'a> {
    /// The member of the document's components that contains shared parts of this kind.
    member: &'static str,
    parts: Vec<Part<'a>>,
    indexes_by_text: HashMap<Rc<str>, PartIndex>,
}

/// A part. Parts are kept as text, which needs much less memory than JSON values.
struct Part<'a> {
    text: Rc<str>,
    occurrences: usize,
    name: PartName<'a>,
    /// The name of the component; `None` if the part occurs only once.
    component_name: Option<String>,
}

/// The names that the component of a part can have. The first unused name is taken.
#[derive(Clone, Copy)]
pub(super) struct PartName<'a> {
    /// The name of the part without a prefix.
    pub(super) base: &'a str,
    /// `true` if the base alone is a meaningful name of a component.
    pub(super) is_meaningful_alone: bool,
    /// The name of the API module in which the part occurs first.
    pub(super) module: &'a str,
    pub(super) method_id: &'a str,
}

impl PartName<'_> {
    fn candidates(&self) -> impl Iterator<Item = String> {
        let Self { base, is_meaningful_alone, module, method_id } = self;
        let alone = is_meaningful_alone.then(|| to_component_name(base));
        let with_method = to_component_name(&format!("{method_id}.{base}"));
        let names = [to_component_name(&format!("{module}.{base}")), with_method.clone()];
        let numbered = (2_usize..).map(move |number| format!("{with_method}.{number}"));
        alone.into_iter().chain(names).chain(numbered)
    }
}

impl<'a> Parts<'a> {
    /// Creates an empty collection of parts. `member` is the member of the document's components for these parts.
    pub(super) fn new(member: &'static str) -> Self {
        Self { member, parts: Vec::new(), indexes_by_text: HashMap::new() }
    }

    /// Returns the index of the part with this content. If no such part exists, it is added. `part` can contain
    /// placeholders for schemas.
    pub(super) fn find_or_add(
        &mut self,
        part: &impl Serialize,
        name: PartName<'a>,
        schemas: &mut Schemas,
    ) -> PartIndex {
        // Serializing a part of the document never fails.
        let mut json = serde_json::to_value(part).unwrap_or_default();
        schemas.fill_placeholders(&mut json);
        let text: Rc<str> = json.to_string().into();
        let next = self.parts.len();
        let index = *self.indexes_by_text.entry(Rc::clone(&text)).or_insert(next);
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

    /// Makes each part that occurs more than once a component, in the order of their first occurrences. `components`
    /// contains the other components of the same kind, to which these components are added.
    pub(super) fn add_components(&mut self, components: &mut Map<String, Json>) {
        for part in self.parts.iter_mut().filter(|part| part.occurrences > 1) {
            // There are infinitely many candidates, so one of them is always unused.
            let name = part.name.candidates().find(|name| !components.contains_key(name)).unwrap_or_default();
            components.insert(name.clone(), parse_part(&part.text));
            part.component_name = Some(name);
        }
        components.sort_keys();
    }

    /// Returns the member of the document's components for these parts.
    pub(super) fn member(&self) -> &'static str {
        self.member
    }

    pub(super) fn component_in_operation<'p>(&self, name: &'p str) -> PartInOperation<'p> {
        PartInOperation::Reference { member: self.member, name }
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
