//! Finds schemas that refer to themselves directly, without a field, an item or a member between, such as a union that
//! contains itself. Such schemas are never compiled, because their checks would not end. Neither are schemas that refer
//! to themselves only through the items of arrays: a text would be the only item of an array, and the text again the
//! only item of that array, without an end. Nor are schemas that extend themselves, because they have no last field.

use super::{DeclaredSchema, MAX_DEPTH, SchemaState, Schemas};
use crate::compile::lowering::Lowering;
use crate::compile::type_expr::type_names;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed::TypeSpec;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::types::Types;

const ARRAYS: [&str; 3] = ["array", "filled_array", "loose_array"];
/// The maximum number of schemas to which a schema leads, counted once for each path to them: the types of a union are
/// compared with each other.
const MAX_PATHS: usize = 10_000;
/// The type of objects whose members have the type in its argument.
const MAP: &str = "map";

impl Lowering<'_> {
    pub(super) fn report_direct_references(&mut self) {
        let (schemas, types) = (&self.schemas, self.types);
        let declared = || schemas.declared.values();
        let direct = declared().map(|schema| schemas.direct_references(schema, types)).collect::<Vec<_>>();
        let items = declared().map(|schema| schemas.item_references(schema, types)).collect::<Vec<_>>();
        let extended = declared().map(|schema| schemas.extended(schema)).collect::<Vec<_>>();
        self.report_chains(&direct, false);
        self.report_chains(&items, false);
        self.report_chains(&extended, true);
    }

    /// Reports circles and long chains of references, or of `extends`: each schema of such a chain has all fields of
    /// the schemas before it. `targets` contains the indexes of the schemas to which each schema refers.
    fn report_chains(&mut self, targets: &[Vec<usize>], is_extends: bool) {
        let Levels { levels, circles, paths } = Levels::new(targets);
        for (index, level) in levels.iter().enumerate() {
            let DeclaredSchema { parsed, module, state, .. } = &self.schemas.declared[index];
            if matches!(level, Some(level) if *level <= MAX_DEPTH) || matches!(state, SchemaState::Failed) {
                continue;
            }
            let name = &parsed.name.value;
            let error = match level {
                Some(level) if *level == MAX_DEPTH + 1 && is_extends => Some((
                    format!("more than {MAX_DEPTH} schemas extend each other in a chain"),
                    "list the fields of several of these schemas in one of them",
                )),
                Some(level) if *level == MAX_DEPTH + 1 && paths[index] > MAX_PATHS => Some((
                    format!("the schema `{name}` leads to other schemas on more than {MAX_PATHS} paths"),
                    "name each schema once in a union, and in the unions in it",
                )),
                Some(level) if *level == MAX_DEPTH + 1 => Some((
                    format!("more than {MAX_DEPTH} schemas lead from one to the next"),
                    "let an object stand between them",
                )),
                None if circles[index] && is_extends => Some((
                    format!("the schema `{name}` extends itself"),
                    "remove the schema from `extends` that leads back to this one",
                )),
                None if circles[index] => Some((
                    format!("the schema `{name}` is defined by itself"),
                    "let the schema refer to itself only in a field, or as the items of an array in a union",
                )),
                // The schemas that lead to an erroneous one have no error of their own.
                Some(_) | None => None,
            };
            let leads_on = |target: usize| match level {
                Some(level) => levels[target] == Some(level - 1),
                None => circles[target],
            };
            let base =
                parsed.extends.iter().find(|name| self.schemas.index(*module, &name.value).is_some_and(leads_on));
            let (code, label, span) = match base.filter(|_| is_extends) {
                Some(base) => (DiagnosticCode::BadOption, "cannot be extended", base.span),
                None => (DiagnosticCode::EndlessSchema, "a chain of references", parsed.name.span),
            };
            if let Some((message, help)) = error {
                self.report(Diagnostic::new(code, span, message).label(label).help(help));
            }
            self.schemas.declared[index].state = SchemaState::Failed;
        }
    }
}

impl Schemas<'_> {
    fn direct_references(&self, schema: &DeclaredSchema<'_>, types: &Types) -> Vec<usize> {
        let mut names = Vec::new();
        add_direct_names(&schema.parsed.r#type, types, schema.dialect, &mut names);
        names.into_iter().filter_map(|name| self.index(schema.module, name)).collect()
    }

    pub(super) fn extended(&self, schema: &DeclaredSchema<'_>) -> Vec<usize> {
        schema.parsed.extends.iter().filter_map(|name| self.index(schema.module, &name.value)).collect()
    }

    /// Returns the schema that another name denotes, or the schema of the items of an array.
    fn item_references(&self, schema: &DeclaredSchema<'_>, types: &Types) -> Vec<usize> {
        let term = schema.parsed.r#type.term.as_ref().map_or("", |term| &term.value);
        let innermost = type_names(term, types, schema.dialect).into_iter().find(|name| !ARRAYS.contains(name));
        innermost.and_then(|name| self.index(schema.module, name)).into_iter().collect()
    }
}

/// Adds the names of schemas whose values are the values of the type: those in its term, and in the types of a union.
fn add_direct_names<'t>(r#type: &'t TypeSpec, types: &Types, dialect: &DialectSpec, names: &mut Vec<&'t str>) {
    let term = r#type.term.as_ref().map_or("", |term| &term.value);
    let in_term = type_names(term, types, dialect);
    let is_container = term.trim_start_matches('?').starts_with("[]")
        || in_term.first().is_some_and(|name| ARRAYS.contains(name) || *name == MAP);
    if !is_container {
        names.extend(in_term);
    }
    let of = r#type.nested.iter().filter(|nested| nested.attribute == "of");
    of.filter_map(|nested| nested.r#type.as_ref()).for_each(|branch| add_direct_names(branch, types, dialect, names));
}

/// The levels of schemas in the chains of their references.
struct Levels {
    /// For each schema, the length of the longest chain that begins with it; `None` if a chain has no end.
    levels: Vec<Option<usize>>,
    /// For each schema, whether it is a part of a circle, or on the way from one circle to another.
    circles: Vec<bool>,
    /// For each schema without a circle, on how many paths it leads to itself and to others.
    paths: Vec<usize>,
}

impl Levels {
    fn new(targets: &[Vec<usize>]) -> Self {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); targets.len()];
        for (user, targets) in targets.iter().enumerate() {
            targets.iter().for_each(|target| users[*target].push(user));
        }
        let (mut levels, mut paths) = (vec![None; targets.len()], vec![0usize; targets.len()]);
        for index in peel(targets, &users, &vec![true; targets.len()]) {
            let max_level = targets[index].iter().filter_map(|target| levels[*target]).max();
            let level: usize = max_level.unwrap_or(0) + 1;
            paths[index] = targets[index].iter().fold(1, |sum: usize, target| sum.saturating_add(paths[*target]));
            // More paths are as bad as a long chain.
            levels[index] = Some(if paths[index] > MAX_PATHS { level.max(MAX_DEPTH + 1) } else { level });
        }
        let endless: Vec<bool> = levels.iter().map(Option::is_none).collect();
        let mut circles = endless.clone();
        // What nothing endless refers to only leads to a circle.
        peel(&users, targets, &endless).into_iter().for_each(|index| circles[index] = false);
        Self { levels, circles, paths }
    }
}

/// Returns the selected nodes in the order in which each has no more edges to selected nodes before it. `reversed`
/// contains the edges in the other direction.
fn peel(edges: &[Vec<usize>], reversed: &[Vec<usize>], is_selected: &[bool]) -> Vec<usize> {
    let mut open: Vec<usize> =
        edges.iter().map(|targets| targets.iter().filter(|target| is_selected[**target]).count()).collect();
    let mut order: Vec<usize> = (0..edges.len()).filter(|index| is_selected[*index] && open[*index] == 0).collect();
    let mut next = 0;
    while let Some(index) = order.get(next).copied() {
        next += 1;
        for user in reversed[index].iter().filter(|user| is_selected[**user]) {
            open[*user] -= 1;
            if open[*user] == 0 {
                order.push(*user);
            }
        }
    }
    order
}
