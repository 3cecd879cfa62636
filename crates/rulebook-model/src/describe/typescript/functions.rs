//! The functions of the client as a tree, which results from splitting the ids of the methods at their dots.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::doc_comment;
use super::types::{literal, member};
use crate::model::Method;

/// The members that every client has at the top of the tree.
const CLIENT_MEMBERS: [&str; 2] = ["$call", "$methods"];

/// A name that no function at the top of the tree can have: JavaScript treats an object with a method `then` as a
/// promise.
const PROMISE: &str = "then";

/// A node of the tree: a function, further functions below it, or both.
#[derive(Default)]
struct FunctionNode<'a> {
    method: Option<&'a Method>,
    below: BTreeMap<&'a str, FunctionNode<'a>>,
}

/// Returns the members of the interface `Api`. A method whose id is reserved is not a member; programs call it by
/// `$call`.
pub(super) fn members<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut top = FunctionNode::default();
    for method in methods {
        let first = method.id.split('.').next().unwrap_or_default();
        if CLIENT_MEMBERS.contains(&first) || method.id == PROMISE {
            continue;
        }
        let leaf = method.id.split('.').fold(&mut top, |node, name| node.below.entry(name).or_default());
        leaf.method = Some(method);
    }
    let mut text = String::new();
    write_members(&top, 1, &mut text);
    text
}

fn write_members(node: &FunctionNode<'_>, level: usize, text: &mut String) {
    let indent = "  ".repeat(level);
    for (name, node) in &node.below {
        if let Some(method) = node.method {
            text.push_str(&doc_comment(method, level));
        }
        let call = node.method.map(|method| format!("Call<Methods[{}]>", literal(&method.id)));
        let and = if call.is_some() && !node.below.is_empty() { " & " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{indent}{}: {}{and}", member(name), call.unwrap_or_default());
        if !node.below.is_empty() {
            text.push_str("{\n");
            write_members(node, level + 1, text);
            let _ = write!(text, "{indent}}}");
        }
        text.push_str(";\n");
    }
}
