//! The functions of the JavaScript client, in a tree: the method with the id `article.get` is the function `get` below
//! `article`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::method_doc_comment;
use super::types::{member_name, string_literal};
use crate::model::{Method, Parameter};

/// The members that every client has at the top of the tree, beside the functions of the API.
const CLIENT_MEMBERS: [&str; 2] = ["$call", "$methods"];

/// A name that a function at the top of the tree cannot have. JavaScript treats an object with a method `then` as a
/// promise.
const PROMISE_MEMBER: &str = "then";

/// A node of the tree: a function, a group of functions, or both.
#[derive(Default)]
struct FunctionNode<'a> {
    method: Option<&'a Method>,
    children: BTreeMap<&'a str, FunctionNode<'a>>,
}

pub(in crate::describe) fn is_client_member(id: &str) -> bool {
    let first = id.split('.').next().unwrap_or_default();
    !CLIENT_MEMBERS.contains(&first) && id != PROMISE_MEMBER
}

/// Returns the names of a method's arguments, one for each parameter: the names of the parameters in code. If the name
/// of an argument is the key of another parameter, both have their full keys as names, which the client accepts for
/// every parameter.
#[must_use]
pub fn argument_names(parameters: &[Parameter]) -> Vec<String> {
    let names: Vec<_> = parameters.iter().map(|parameter| (&parameter.name, parameter.tree_key())).collect();
    let argument_name = |(index, (short, key)): (usize, &(&String, String))| {
        let mut others = names.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, names)| names);
        let is_ambiguous = others.any(|(other_short, other_key)| other_short == short || other_key == *short);
        if is_ambiguous { key.clone() } else { (*short).clone() }
    };
    names.iter().enumerate().map(argument_name).collect()
}

/// Returns the members of the TypeScript interface `Api`. A method whose id is a reserved name is not a member;
/// programs call this method with `$call`.
pub(super) fn api_interface_members<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut top = FunctionNode::default();
    for method in methods {
        if !is_client_member(&method.id) {
            continue;
        }
        let leaf = method.id.split('.').fold(&mut top, |node, name| node.children.entry(name).or_default());
        leaf.method = Some(method);
    }
    let mut text = String::new();
    write_members(&top, 1, &mut text);
    text
}

fn write_members(node: &FunctionNode<'_>, level: usize, text: &mut String) {
    let indent = "  ".repeat(level);
    for (name, node) in &node.children {
        if let Some(method) = node.method {
            text.push_str(&method_doc_comment(method, level));
        }
        let call = node.method.map(|method| format!("Call<Methods[{}]>", string_literal(&method.id)));
        let and = if call.is_some() && !node.children.is_empty() { " & " } else { "" };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{indent}{}: {}{and}", member_name(name), call.unwrap_or_default());
        if !node.children.is_empty() {
            text.push_str("{\n");
            write_members(node, level + 1, text);
            let _ = write!(text, "{indent}}}");
        }
        text.push_str(";\n");
    }
}
