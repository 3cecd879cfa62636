//! The files of the new definition, and where their members come from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jsonc_parser::ast::Value;
use rulebook_model::definition;
use rulebook_model::definition::dialect_spec::DialectSpec;

use crate::members::{MemberPath, members_of, parse};

/// The file and the line of each member, by its path.
pub(super) type Positions = BTreeMap<MemberPath, (String, usize)>;

/// A file of the new definition.
#[derive(Debug)]
pub(super) struct DefinitionFile {
    /// The name of the file in the folder `api`.
    pub name: String,
    pub text: String,
    pub dialect: &'static DialectSpec,
    /// The file of the other project that has the definition.
    pub origin: String,
    /// The positions of members in files of the other project.
    pub positions: Positions,
}

impl DefinitionFile {
    /// Creates a file whose text is copied from a file of the other project.
    pub(super) fn copied(name: String, text: String, dialect: &'static DialectSpec, origin: &str) -> Self {
        let lines = member_lines(&text).into_iter();
        let positions = lines.map(|(path, line)| (path, (origin.to_owned(), line))).collect();
        Self { name, text, dialect, origin: origin.to_owned(), positions }
    }

    /// Adds the key `dialect` to the text if rulebook would read the text in another dialect. For example, a class
    /// whose methods have the names of HTTP methods could be a part of a `tree`.
    pub(super) fn add_dialect_if_needed(&mut self) {
        let loaded = definition::read(vec![(PathBuf::from(&self.name), self.text.clone().into_bytes())]);
        let dialect = self.dialect.name;
        let Some(brace) = self.text.find('{') else { return };
        if loaded.definition.modules.iter().any(|module| module.spec.name != dialect) {
            let content = &self.text[brace + 1..];
            let space = &content[..content.len() - content.trim_start().len()];
            self.text.insert_str(brace + 1, &format!("{space}\"dialect\": \"{dialect}\","));
        }
    }

    /// Returns the file and the line of the other project that have a member. If the position of the member is unknown,
    /// returns that of the innermost known member that contains it.
    pub(super) fn locate(&self, path: &[String]) -> (String, Option<usize>) {
        let known = (1..=path.len()).rev().find_map(|length| self.positions.get(&path[..length]));
        known.map_or_else(|| (self.origin.clone(), None), |(file, line)| (file.clone(), Some(*line)))
    }

    /// Changes the paths of the items after an item of an array that was removed from the text. Does nothing if
    /// `removed` is the path of a member of an object.
    pub(super) fn shift_items_after(&mut self, removed: &[String]) {
        let Some((key, parent)) = removed.split_last() else { return };
        let Ok(removed_index) = key.parse::<usize>() else { return };
        let shifted = std::mem::take(&mut self.positions).into_iter().map(|(mut path, position)| {
            if let Some((index, _)) = path.strip_prefix(parent).and_then(<[String]>::split_first)
                && let Ok(index) = index.parse::<usize>()
                && index > removed_index
            {
                path[parent.len()] = (index - 1).to_string();
            }
            (path, position)
        });
        self.positions = shifted.collect();
    }
}

/// Returns the line of each member of a JSON text, counted from 1.
pub(super) fn member_lines(text: &str) -> BTreeMap<MemberPath, usize> {
    let mut lines = BTreeMap::new();
    if let Some(value) = parse(text) {
        add_lines(text, &value, &mut MemberPath::new(), &mut lines);
    }
    lines
}

fn add_lines(text: &str, value: &Value<'_>, path: &mut MemberPath, lines: &mut BTreeMap<MemberPath, usize>) {
    for member in members_of(value) {
        path.push(member.key);
        lines.insert(path.clone(), line_at(text, member.range.start));
        add_lines(text, member.value, path, lines);
        path.pop();
    }
}

/// Returns the line of the byte at `offset`, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
