//! The classes of the client: the method with the id `article.line.get` is the function `get` of the object `line`,
//! which is a member of `article`.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use super::method::Function;
use super::names::{to_class_name, to_name};
use super::types::{TYPE_NAMES, TypeWriter};
use crate::distinct_names::{PlaceName, candidates, distinct_names};

/// A node of the tree: a function, a group of functions, or both.
#[derive(Default)]
pub(super) struct FunctionNode {
    function: Option<Function>,
    children: BTreeMap<String, FunctionNode>,
}

/// The member of every class through which its functions send requests.
const CONNECTION_MEMBER: &str = "_api";

impl FunctionNode {
    pub(super) fn insert(&mut self, id: &str, function: Function) {
        let leaf = id.split('.').fold(self, |node, name| node.children.entry(name.to_owned()).or_default());
        leaf.function = Some(function);
    }

    /// Returns the classes of the groups in the tree, and that of the whole API, which is the last. `about` is its
    /// docstring, and `base` the base path of the API.
    pub(super) fn classes(&self, about: &str, base: &str, types: &mut TypeWriter<'_>) -> Vec<String> {
        let mut classes = Vec::new();
        let groups = self.write_groups("", types, &mut classes);
        let mut text = format!("class Api:\n{about}\n");
        let _ = write!(
            text,
            "    def __init__(\n        self,\n        url: str,\n        *,\n        token: str | None = None,\n        \
             basic: tuple[str, str] | None = None,\n        timeout: float = 60.0,\n        \
             headers: Mapping[str, str] | None = None,\n    ) -> None:\n        \
             self.{CONNECTION_MEMBER} = Connection(url, {base}, token, basic, timeout, headers)\n{}",
            groups.attributes
        );
        text.push_str(&groups.functions);
        classes.push(text);
        classes
    }

    /// Writes the classes of the groups below this node to `classes`. Returns the members of the class of this node.
    fn write_groups(&self, path: &str, types: &mut TypeWriter<'_>, classes: &mut Vec<String>) -> Members {
        let mut members = Members::default();
        let mut functions = Vec::new();
        let functions_of_class = self.children.values().filter_map(|node| node.function.as_ref());
        let words: HashSet<String> = functions_of_class.flat_map(Function::words_of_types).collect();
        let names = self.children.keys().map(|name| {
            // In a class, a function hides a type of the same name. Only types that are built in have another name.
            let is_builtin = TYPE_NAMES.contains(&name.as_str()) && !name.starts_with(|c: char| c.is_ascii_uppercase());
            let is_hiding = !is_builtin && words.contains(name);
            candidates(vec![to_name(name) + if is_hiding { "_" } else { "" }], "_", name)
        });
        for ((name, node), member) in self.children.iter().zip(distinct_names(names, str::to_owned)) {
            if node.children.is_empty() {
                functions.extend(node.function.as_ref().map(|function| (member, function)));
                continue;
            }
            let path = format!("{path}.{name}");
            let inner = node.write_groups(&path, types, classes);
            let class = types.name(&PlaceName::new(format!("{}Functions", to_class_name(&path)), path));
            let call = node.function.as_ref().map(|function| function.text("__call__", &inner.hidden));
            classes.push(format!(
                "class {class}:\n    def __init__(self, api: Connection) -> None:\n        self.{CONNECTION_MEMBER} = \
                 api\n{}{}{}",
                inner.attributes,
                call.unwrap_or_default(),
                inner.functions
            ));
            let _ = writeln!(members.attributes, "        self.{member} = {class}(self.{CONNECTION_MEMBER})");
        }
        members.hidden = functions.iter().map(|(name, _)| name.clone()).collect();
        for (name, function) in functions {
            members.functions.push_str(&function.text(&name, &members.hidden));
        }
        members
    }
}

#[derive(Default)]
struct Members {
    /// The statements that create the objects of inner groups.
    attributes: String,
    functions: String,
    /// The names of the functions, which hide types of the same names.
    hidden: HashSet<String>,
}
