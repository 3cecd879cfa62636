//! Converts XML responses back to JSON, as the documentation describes the format. The XML parser is an independent
//! crate.

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

/// Returns the name of the root element, and the JSON value that an XML response represents.
#[track_caller]
pub fn read(xml: &[u8]) -> (String, Value) {
    let text = std::str::from_utf8(xml).unwrap();
    let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let root = document.root_element();
    (root.tag_name().name().to_owned(), element_value(root))
}

fn element_value(node: Node<'_, '_>) -> Value {
    let text = node.text().unwrap_or_default();
    match node.attribute("type") {
        None => {
            assert!(node.children().all(|child| child.is_text()), "a text has elements");
            // The parser may split the text of an element into several text nodes.
            let text: String = node.children().filter_map(|child| child.text()).collect();
            unescape_text(&text, node.attribute("escaped")).into()
        }
        Some("null") => {
            assert!(!node.has_children(), "null has content");
            Value::Null
        }
        Some("boolean" | "number") => serde_json::from_str(text).unwrap(),
        Some("array") => node
            .children()
            .map(|child| {
                assert_eq!(child.tag_name().name(), "item");
                element_value(child)
            })
            .collect(),
        Some("object") => {
            let mut members = Map::new();
            for child in node.children() {
                let name = match child.attribute("name") {
                    Some(name) => {
                        assert_eq!(child.tag_name().name(), "member");
                        unescape_text(name, child.attribute("escaped-name"))
                    }
                    None => child.tag_name().name().to_owned(),
                };
                assert!(members.insert(name, element_value(child)).is_none(), "a member is there twice");
            }
            Value::Object(members)
        }
        Some(other) => panic!("{other} is not a type"),
    }
}

fn unescape_text(text: &str, escaped: Option<&str>) -> String {
    match escaped {
        None => text.to_owned(),
        Some("true") => serde_json::from_str(&format!("\"{text}\"")).unwrap(),
        Some(other) => panic!("escaped is {other}"),
    }
}
