//! Finds the order in which schemas are compiled. No step is recursive, because schemas can form long chains.

use std::collections::HashSet;

use super::{DeclaredSchema, Schemas};
use crate::compile::type_expr::type_names;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed::TypeSpec;
use crate::types::Types;

/// The schemas to which a schema refers, as indexes in [`Schemas::declared`].
struct Dependencies {
    /// The schemas in `extends`.
    extended: Vec<usize>,
    /// The schemas in `extends`, then those in the types of fields and items.
    all: Vec<usize>,
}

impl Schemas<'_> {
    /// Returns the indexes of all schemas, each after those to which it refers. In a circle, a schema in `extends` is
    /// first.
    pub(super) fn compile_order(&self, types: &Types) -> Vec<usize> {
        let dependencies: Vec<Dependencies> =
            self.declared.values().map(|schema| self.dependencies(schema, types)).collect();
        // The order of the names is the same in every notation of the definition. Generated examples depend on it,
        // because they end at the first reference that leads back.
        let mut roots: Vec<usize> = (0..self.declared.len()).collect();
        roots.sort_by_key(|index| &self.declared[*index].parsed.name.value);
        let mut order = Vec::with_capacity(roots.len());
        let mut is_entered = vec![false; roots.len()];
        let mut is_left = vec![false; roots.len()];
        for root in roots {
            if is_entered[root] {
                continue;
            }
            is_entered[root] = true;
            let mut path = vec![(root, 0)];
            while let Some((index, next)) = path.last_mut() {
                let (index, position) = (*index, *next);
                *next += 1;
                match dependencies[index].all.get(position) {
                    Some(target) if is_entered[*target] => {}
                    Some(target) => {
                        // A schema that extends one on the path follows later, after the one that it extends.
                        let is_extended = position < dependencies[index].extended.len();
                        if is_extended || !extends_open_schema(*target, &dependencies, &is_entered, &is_left) {
                            is_entered[*target] = true;
                            path.push((*target, 0));
                        }
                    }
                    None => {
                        is_left[index] = true;
                        order.push(index);
                        path.pop();
                    }
                }
            }
        }
        order
    }

    fn dependencies(&self, schema: &DeclaredSchema<'_>, types: &Types) -> Dependencies {
        let find = |name: &str| self.index(schema.module, name);
        let extended = self.extended(schema);
        let mut names = Vec::new();
        add_names(&schema.parsed.r#type, types, schema.dialect, &mut names);
        let all = extended.iter().copied().chain(names.into_iter().filter_map(find)).collect();
        Dependencies { extended, all }
    }
}

/// Adds the names in a type, in the types of its attributes and in its fields that can be names of schemas.
fn add_names<'t>(r#type: &'t TypeSpec, types: &Types, dialect: &DialectSpec, names: &mut Vec<&'t str>) {
    names.extend(r#type.term.iter().flat_map(|term| type_names(&term.value, types, dialect)));
    let nested = r#type.nested.iter().filter_map(|nested| nested.r#type.as_ref());
    let fields = r#type.fields.iter().flat_map(|fields| &fields.value).map(|field| &field.r#type);
    nested.chain(fields).for_each(|inner| add_names(inner, types, dialect, names));
}

/// Returns `true` if a schema extends, directly or through other schemas, a schema that is entered and not left.
fn extends_open_schema(schema: usize, dependencies: &[Dependencies], is_entered: &[bool], is_left: &[bool]) -> bool {
    let mut waiting = dependencies[schema].extended.clone();
    let mut seen = HashSet::from([schema]);
    while let Some(index) = waiting.pop() {
        if is_entered[index] {
            if !is_left[index] {
                return true;
            }
        } else if seen.insert(index) {
            waiting.extend(&dependencies[index].extended);
        }
    }
    false
}
