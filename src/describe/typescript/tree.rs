//! The functions of an API as a tree: ids taken apart at their dots.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::about;
use super::shape::{literal, member};
use crate::model::Method;

/// What the client itself has at the top of the tree.
const OWN: [&str; 2] = ["$call", "$methods"];

/// The top of the tree that is no function: what has it would be taken for a promise.
const PROMISE: &str = "then";

/// A function, what is below it, or both.
#[derive(Default)]
struct Node<'a> {
    method: Option<&'a Method>,
    below: BTreeMap<&'a str, Node<'a>>,
}

/// The members of the interface of all functions. What has no place there is called by its id.
pub(super) fn functions<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut top = Node::default();
    for method in methods {
        let first = method.id.split('.').next().unwrap_or_default();
        if OWN.contains(&first) || method.id == PROMISE {
            continue;
        }
        let leaf = method.id.split('.').fold(&mut top, |node, name| node.below.entry(name).or_default());
        leaf.method = Some(method);
    }
    let mut text = String::new();
    members(&top, 1, &mut text);
    text
}

fn members(node: &Node<'_>, level: usize, text: &mut String) {
    let indent = "  ".repeat(level);
    for (name, node) in &node.below {
        if let Some(method) = node.method {
            text.push_str(&about(method, level));
        }
        let call = node.method.map(|method| format!("Call<Methods[{}]>", literal(&method.id)));
        let and = if call.is_some() && !node.below.is_empty() { " & " } else { "" };
        // Writing to a String does not fail.
        let _ = write!(text, "{indent}{}: {}{and}", member(name), call.unwrap_or_default());
        if !node.below.is_empty() {
            text.push_str("{\n");
            members(node, level + 1, text);
            let _ = write!(text, "{indent}}}");
        }
        text.push_str(";\n");
    }
}
