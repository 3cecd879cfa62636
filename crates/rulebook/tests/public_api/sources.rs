//! Parses the sources of crates, and finds the item to which a name in a Rust module refers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Ident, Item, UseTree, Visibility};

use super::signature::{is_hidden_in_docs, is_public};

/// The path of a Rust module. The first segment is the name of the crate.
pub type ModulePath = Vec<String>;

/// Names whose targets are being searched for, each with the Rust module that uses the name.
type VisitedNames = BTreeSet<(ModulePath, String)>;

/// The item or Rust module to which a name refers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameTarget {
    Module(ModulePath),
    /// An item: the Rust module that declares it, and its name in that module.
    Item(ModulePath, String),
    /// A path to an item of a crate whose sources were not read.
    Foreign(String),
}

/// The items of all Rust modules of the crates that were added.
#[derive(Default)]
pub struct Sources {
    pub modules: BTreeMap<ModulePath, Vec<Item>>,
    /// The results of [`Sources::resolve_name`] so far.
    resolved_names: RefCell<BTreeMap<(ModulePath, String), Option<NameTarget>>>,
}

impl Sources {
    /// Adds all Rust modules of a crate. `folder` contains the file `lib.rs` of the crate.
    pub fn add_crate(&mut self, name: &str, folder: &Path) {
        self.add_module(vec![name.to_owned()], folder, parse_file(&folder.join("lib.rs")));
    }

    /// Adds a Rust module with its submodules, whose files are in `folder`. Items that are compiled only for tests are
    /// omitted.
    fn add_module(&mut self, path: ModulePath, folder: &Path, mut items: Vec<Item>) {
        items.retain(|item| {
            let attributes = declaration_parts(item).map(|(_, _, attributes)| attributes).unwrap_or_default();
            let is_for_tests = |text: &str| text == "# [cfg (test)]" || text == "# [cfg (doctest)]";
            !attributes.iter().any(|attribute| is_for_tests(&attribute.to_token_stream().to_string()))
        });
        for item in &items {
            let Item::Mod(module) = item else { continue };
            let name = module.ident.to_string();
            let files = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
            let inner = match &module.content {
                Some((_, items)) => items.clone(),
                None => parse_file(files.iter().find(|file| file.is_file()).unwrap()),
            };
            self.add_module(submodule_path(&path, &name), &folder.join(&name), inner);
        }
        self.modules.insert(path, items);
    }

    /// Returns the public names of a Rust module and the items to which they refer, sorted.
    pub fn exported_names(&self, module: &ModulePath) -> Vec<(String, NameTarget)> {
        let mut exports = Vec::new();
        for item in &self.modules[module] {
            match item {
                Item::Use(item) if is_public(&item.vis) && !is_hidden_in_docs(&item.attrs) => {
                    for (path, name) in imported_paths(&item.tree) {
                        match self.follow_path(module, &path, &mut BTreeSet::new()) {
                            Some(NameTarget::Module(all)) if name == "*" => exports.extend(self.exported_names(&all)),
                            Some(target) => exports.push((name, target)),
                            None => exports.push((name, NameTarget::Foreign(path.join("::")))),
                        }
                    }
                }
                item => {
                    let Some((name, visibility, attributes)) = declaration_parts(item) else { continue };
                    if is_public(visibility) && !is_hidden_in_docs(attributes) {
                        let name = name.to_string();
                        exports.extend(self.resolve_name(module, &name).map(|target| (name, target)));
                    }
                }
            }
        }
        exports.sort();
        exports
    }

    /// Returns the item to which a name in a Rust module refers; `None` if the sources of the item's crate were not
    /// read.
    pub fn resolve_name(&self, module: &ModulePath, searched_name: &str) -> Option<NameTarget> {
        let name = (module.clone(), searched_name.to_owned());
        if let Some(known) = self.resolved_names.borrow().get(&name) {
            return known.clone();
        }
        let target = self.find_target(module, searched_name, &mut BTreeSet::new());
        self.resolved_names.borrow_mut().insert(name, target.clone());
        target
    }

    /// Does the work of [`Sources::resolve_name`]. `visited` contains the names that are being searched for, because
    /// two Rust modules may import everything from each other.
    fn find_target(&self, module: &ModulePath, searched_name: &str, visited: &mut VisitedNames) -> Option<NameTarget> {
        if !visited.insert((module.clone(), searched_name.to_owned())) {
            return None;
        }
        let inner = submodule_path(module, searched_name);
        if self.modules.contains_key(&inner) {
            return Some(NameTarget::Module(inner));
        }
        let items = self.modules.get(module)?;
        if items.iter().filter_map(declaration_parts).any(|(name, ..)| name == searched_name) {
            return Some(NameTarget::Item(module.clone(), searched_name.to_owned()));
        }
        let uses = items.iter().filter_map(|item| if let Item::Use(item) = item { Some(&item.tree) } else { None });
        uses.flat_map(imported_paths).find_map(|(path, name)| {
            if name != "*" && name != searched_name {
                return None;
            }
            match self.follow_path(module, &path, visited)? {
                NameTarget::Module(all) if name == "*" => self.find_target(&all, searched_name, visited),
                target => Some(target),
            }
        })
    }

    /// Returns the item to which a path in a Rust module refers.
    fn follow_path(&self, module: &ModulePath, path: &[String], visited: &mut VisitedNames) -> Option<NameTarget> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => vec![module[0].clone()],
            "self" => module.clone(),
            "super" => module[..module.len() - 1].to_vec(),
            // If a submodule and a crate have the same name, the name refers to the submodule.
            name => {
                let known = [submodule_path(module, name), vec![name.to_owned()]];
                known.into_iter().find(|path| self.modules.contains_key(path))?
            }
        };
        rest.iter().try_fold(NameTarget::Module(start), |target, segment| match (target, segment.as_str()) {
            (NameTarget::Module(module), "super") => Some(NameTarget::Module(module[..module.len() - 1].to_vec())),
            (NameTarget::Module(module), name) => self.find_target(&module, name, visited),
            _ => None,
        })
    }
}

fn parse_file(file: &Path) -> Vec<Item> {
    syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap().items
}

/// Returns the path of a submodule.
fn submodule_path(module: &ModulePath, name: &str) -> ModulePath {
    module.iter().map(String::as_str).chain([name]).map(str::to_owned).collect()
}

/// Returns the paths in a `use` declaration with the names that they declare. For a glob import, the path is that of
/// the Rust module, and the name is `*`.
fn imported_paths(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    let leaf = |path: &Ident, name: &Ident| vec![(vec![path.to_string()], name.to_string())];
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let longer = |(rest, name): (Vec<String>, String)| match name.as_str() {
                "self" => (vec![first.clone()], first.clone()),
                _ => ([vec![first.clone()], rest].concat(), name),
            };
            imported_paths(&path.tree).into_iter().map(longer).collect()
        }
        UseTree::Name(leaf_name) => leaf(&leaf_name.ident, &leaf_name.ident),
        UseTree::Rename(renamed) => leaf(&renamed.ident, &renamed.rename),
        UseTree::Glob(_) => vec![(Vec::new(), "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(imported_paths).collect(),
    }
}

/// Returns the name, visibility and attributes of an item; `None` if the item has no name.
pub fn declaration_parts(item: &Item) -> Option<(&Ident, &Visibility, &[Attribute])> {
    Some(match item {
        Item::Const(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Enum(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Fn(item) => (&item.sig.ident, &item.vis, &item.attrs),
        Item::Mod(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Struct(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Trait(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Type(item) => (&item.ident, &item.vis, &item.attrs),
        _ => return None,
    })
}
