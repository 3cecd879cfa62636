//! Finds the defaults and the examples of schemas, parameters and bodies.

use serde_json::Value as Json;

use super::{Converter, LossKind, Place, items, members, reference_of};

/// The maximum size of an example, in bytes.
const MAX_EXAMPLE_BYTES: usize = 300;

/// The maximum number of schemas through which a default is found.
const MAX_CHAIN: usize = 32;

impl<'a> Converter<'a> {
    /// Returns the key `default` for a parameter at `place`, also if its schema refers to the schema that has the
    /// default.
    pub(in crate::openapi) fn default_entry(
        &mut self,
        schema: &'a Json,
        is_required: bool,
        place: &Place,
    ) -> Option<(String, Json)> {
        let (default, _) = self.find_default(schema, &Place::default())?;
        self.document.record_whole(default);
        if is_required {
            self.losses.widen(LossKind::DEFAULT, place, "the value can also be missing, because it has a default");
        }
        Some(("default".to_owned(), default.clone()))
    }

    /// Returns the default of a schema that is not null, and its place.
    pub(in crate::openapi) fn find_default(&self, schema: &'a Json, place: &Place) -> Option<(&'a Json, Place)> {
        let (mut schema, mut place) = (schema, place.clone());
        for _ in 0..MAX_CHAIN {
            if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
                return Some((default, place.member("default")));
            }
            (schema, place) = match (reference_of(schema), items(schema.get("allOf"))) {
                (Some(reference), _) => self.document.find(reference)?,
                (None, [only]) => (only, place.member("allOf").item(0)),
                _ => return None,
            };
        }
        None
    }

    /// Returns the example of a schema, if it is short.
    pub(in crate::openapi) fn example(&mut self, schema: &'a Json, place: &Place) -> Option<Json> {
        if let Some(example) = schema.get("example") {
            return self.read_example(example, &place.member("example"));
        }
        let examples = schema.get("examples").filter(|examples| examples.is_array())?;
        let place = place.member("examples");
        let example = self.read_example(items(Some(examples)).first()?, &place)?;
        self.document.record_whole(examples);
        if items(Some(examples)).len() > 1 {
            self.losses.add(LossKind::EXAMPLE, &place, "only the first example is imported");
        }
        Some(example)
    }

    /// Returns the example of a parameter, or of the content of a body, if it is short.
    pub(in crate::openapi) fn content_example(&mut self, content: &'a Json, place: &Place) -> Option<Json> {
        let document = self.document;
        if let Some(example) = content.get("example") {
            return self.read_example(example, &place.member("example"));
        }
        let named = content.get("examples")?;
        let place = place.member("examples");
        let (name, first) = members(Some(named)).iter().next()?;
        let (target, _) = document.find_target(first, &place).ok()?;
        let key = ["value", "dataValue"].into_iter().find(|key| target.get(*key).is_some())?;
        let example = self.read_example(&target[key], &place)?;
        let _ = document.resolve(first, &place);
        document.record(named);
        if members(Some(named)).len() > 1 {
            self.losses.add(LossKind::EXAMPLE, &place, "only the first example is imported");
            let others = members(Some(named)).iter().filter(|(other, _)| *other != name);
            others.for_each(|(_, other)| document.record_whole(other));
        }
        Some(example)
    }

    /// Reads the examples of a schema if they are equal to an example that the definition has.
    pub(in crate::openapi) fn read_same_example(&self, schema: &'a Json, example: &Json) {
        let is_same = |known: &Json| known == example;
        if let Some(known) = schema.get("example").filter(|known| is_same(known)) {
            self.document.record_whole(known);
        }
        if let Some(known) = schema.get("examples").filter(|known| items(Some(known)).iter().all(is_same)) {
            self.document.record_whole(known);
        }
    }

    fn read_example(&mut self, example: &Json, place: &Place) -> Option<Json> {
        if example.is_null() {
            return None;
        }
        if example.to_string().len() > MAX_EXAMPLE_BYTES {
            self.losses.add(LossKind::EXAMPLE, place, "the example is too long");
            return None;
        }
        self.document.record_whole(example);
        Some(example.clone())
    }
}
