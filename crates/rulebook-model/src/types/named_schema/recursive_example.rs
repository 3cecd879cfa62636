//! Examples of schemas whose values contain values of a schema around them, so that they have no samples.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::{NamedSchema, all_referenced_schemas, is_small_sample};
use crate::call::Value;
use crate::types::Check;

thread_local! {
    /// The examples of schemas by their keys, while values of other schemas are generated from them; otherwise `None`.
    static KNOWN: RefCell<Option<HashMap<String, Value<'static>>>> = const { RefCell::new(None) };
}

/// Restores the known examples of the thread at the end, even if a type of the program panics.
struct Restore(Option<HashMap<String, Value<'static>>>);

impl Drop for Restore {
    fn drop(&mut self) {
        KNOWN.set(self.0.take());
    }
}

/// Runs `generate`, in which schemas without samples have only these examples.
pub(super) fn with_known_examples<T>(examples: HashMap<String, Value<'static>>, generate: impl FnOnce() -> T) -> T {
    let _restore = Restore(KNOWN.replace(Some(examples)));
    generate()
}

pub(super) fn recursive_example(schema: &NamedSchema) -> Option<Value<'static>> {
    let is_searched = || schema.samples().has_no_example.load(Ordering::Relaxed);
    let search = || if is_searched() { None } else { find_example(schema) };
    let find = || schema.recursive_example.get_or_init(search).clone();
    known_example(schema).unwrap_or_else(find)
}

/// Returns the example of a schema for a value in it. The samples of the schema may be generated from this value.
pub(super) fn example_within(schema: &NamedSchema) -> Option<Value<'static>> {
    known_example(schema).unwrap_or_else(|| schema.example_value())
}

/// Returns the known example of a schema; `None` if no values are generated from known examples.
fn known_example(schema: &NamedSchema) -> Option<Option<Value<'static>>> {
    KNOWN.with_borrow(|known| known.as_ref().map(|known| known.get(schema.key()).cloned()))
}

/// Generates examples of the schemas to which `schema` refers, until there is one of `schema`.
fn find_example(schema: &NamedSchema) -> Option<Value<'static>> {
    let mut missing = all_referenced_schemas(&*schema.check);
    let mut examples = HashMap::new();
    missing.retain(|other| match &other.samples().example {
        Some(example) => {
            examples.insert(other.key().to_owned(), example.clone());
            false
        }
        None => true,
    });
    let generate = |check: &dyn Check| check.example().filter(is_small_sample);
    with_known_examples(examples, || {
        loop {
            if let Some(example) = generate(&*schema.check) {
                return Some(example);
            }
            let count = missing.len();
            missing.retain(|other| match generate(&*other.check) {
                Some(example) => {
                    KNOWN.with_borrow_mut(|known| {
                        known.get_or_insert_default().insert(other.key().to_owned(), example);
                    });
                    false
                }
                None => true,
            });
            if missing.len() == count {
                // Each of them refers only to schemas that have been searched.
                missing.iter().for_each(|other| other.samples().has_no_example.store(true, Ordering::Relaxed));
                return None;
            }
        }
    })
}
