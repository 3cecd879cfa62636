//! The sources of crates, parsed, and what names in them stand for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Ident, Item, UseTree, Visibility};

use super::signature::{is_hidden, is_public};

/// The path of a module, with the name of the crate first.
pub type ModulePath = Vec<String>;

/// Names in modules.
type Visited = BTreeSet<(ModulePath, String)>;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Module(ModulePath),
    /// An item of a module, and its name there.
    Item(ModulePath, String),
    /// A path into a crate that was not read.
    Foreign(String),
}

/// The items of every module of some crates.
#[derive(Default)]
pub struct Sources {
    pub modules: BTreeMap<ModulePath, Vec<Item>>,
    /// What is known of names in modules.
    resolved: RefCell<BTreeMap<(ModulePath, String), Option<Target>>>,
}

impl Sources {
    /// Reads all files of the crate whose `lib.rs` is in this folder.
    pub fn add(&mut self, name: &str, folder: &Path) {
        self.add_module(vec![name.to_owned()], folder, read(&folder.join("lib.rs")));
    }

    /// Adds a module, and those in it, whose files are in `folder`. What is compiled for tests only is left out.
    fn add_module(&mut self, path: ModulePath, folder: &Path, mut items: Vec<Item>) {
        items.retain(|item| {
            let attributes = parts(item).map(|(_, _, attributes)| attributes).unwrap_or_default();
            let is_for_tests = |text: &str| text == "# [cfg (test)]" || text == "# [cfg (doctest)]";
            !attributes.iter().any(|attribute| is_for_tests(&attribute.to_token_stream().to_string()))
        });
        for item in &items {
            let Item::Mod(module) = item else { continue };
            let name = module.ident.to_string();
            let files = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
            let inner = match &module.content {
                Some((_, items)) => items.clone(),
                None => read(files.iter().find(|file| file.is_file()).unwrap()),
            };
            self.add_module(child(&path, &name), &folder.join(&name), inner);
        }
        self.modules.insert(path, items);
    }

    /// The names that users of a module can write, sorted, and what they stand for.
    pub fn exports(&self, module: &ModulePath) -> Vec<(String, Target)> {
        let mut exports = Vec::new();
        for item in &self.modules[module] {
            match item {
                Item::Use(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => {
                    for (path, name) in imports(&item.tree) {
                        match self.follow(module, &path, &mut BTreeSet::new()) {
                            Some(Target::Module(all)) if name == "*" => exports.extend(self.exports(&all)),
                            Some(target) => exports.push((name, target)),
                            None => exports.push((name, Target::Foreign(path.join("::")))),
                        }
                    }
                }
                item => {
                    let Some((name, visibility, attributes)) = parts(item) else { continue };
                    if is_public(visibility) && !is_hidden(attributes) {
                        let name = name.to_string();
                        exports.extend(self.resolve(module, &name).map(|target| (name, target)));
                    }
                }
            }
        }
        exports.sort();
        exports
    }

    /// Returns the item that a name refers to in a module; `None` if the crate of the item was not read.
    pub fn resolve(&self, module: &ModulePath, wanted: &str) -> Option<Target> {
        let name = (module.clone(), wanted.to_owned());
        if let Some(known) = self.resolved.borrow().get(&name) {
            return known.clone();
        }
        let target = self.find(module, wanted, &mut BTreeSet::new());
        self.resolved.borrow_mut().insert(name, target.clone());
        target
    }

    /// Same as [`Sources::resolve`]. `visited` has the names that are looked for already: two modules may import all of
    /// each other.
    fn find(&self, module: &ModulePath, wanted: &str, visited: &mut Visited) -> Option<Target> {
        if !visited.insert((module.clone(), wanted.to_owned())) {
            return None;
        }
        let inner = child(module, wanted);
        if self.modules.contains_key(&inner) {
            return Some(Target::Module(inner));
        }
        let items = self.modules.get(module)?;
        if items.iter().filter_map(parts).any(|(name, ..)| name == wanted) {
            return Some(Target::Item(module.clone(), wanted.to_owned()));
        }
        let uses = items.iter().filter_map(|item| if let Item::Use(item) = item { Some(&item.tree) } else { None });
        uses.flat_map(imports).find_map(|(path, name)| {
            if name != "*" && name != wanted {
                return None;
            }
            match self.follow(module, &path, visited)? {
                Target::Module(all) if name == "*" => self.find(&all, wanted, visited),
                target => Some(target),
            }
        })
    }

    /// What a path stands for in a module.
    fn follow(&self, module: &ModulePath, path: &[String], visited: &mut Visited) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => vec![module[0].clone()],
            "self" => module.clone(),
            "super" => module[..module.len() - 1].to_vec(),
            // A module hides a crate of the same name.
            name => {
                let known = [child(module, name), vec![name.to_owned()]];
                known.into_iter().find(|path| self.modules.contains_key(path))?
            }
        };
        rest.iter().try_fold(Target::Module(start), |target, segment| match (target, segment.as_str()) {
            (Target::Module(module), "super") => Some(Target::Module(module[..module.len() - 1].to_vec())),
            (Target::Module(module), name) => self.find(&module, name, visited),
            _ => None,
        })
    }
}

fn read(file: &Path) -> Vec<Item> {
    syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap().items
}

/// The path of a module in another.
fn child(module: &ModulePath, name: &str) -> ModulePath {
    module.iter().map(String::as_str).chain([name]).map(str::to_owned).collect()
}

/// The paths in a `use` declaration, and the names that they get. A glob has the path of its module and the name `*`.
fn imports(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    let leaf = |path: &Ident, name: &Ident| vec![(vec![path.to_string()], name.to_string())];
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let longer = |(rest, name): (Vec<String>, String)| match name.as_str() {
                "self" => (vec![first.clone()], first.clone()),
                _ => ([vec![first.clone()], rest].concat(), name),
            };
            imports(&path.tree).into_iter().map(longer).collect()
        }
        UseTree::Name(leaf_name) => leaf(&leaf_name.ident, &leaf_name.ident),
        UseTree::Rename(renamed) => leaf(&renamed.ident, &renamed.rename),
        UseTree::Glob(_) => vec![(Vec::new(), "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(imports).collect(),
    }
}

/// The name, visibility and attributes of an item that has a name.
pub fn parts(item: &Item) -> Option<(&Ident, &Visibility, &[Attribute])> {
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
