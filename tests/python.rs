//! Tests the Python clients of APIs: they equal golden files.
//!
//! The script `tests/external/python` checks the types in them with mypy, and calls methods with them.

use std::path::Path;

use rulebook::Rulebook;
use rulebook_model::describe::python;
use serde_json::json;

use crate::client::engine;
use support::golden;

#[test]
fn python_clients_equal_the_golden_files() {
    for (folder, kept) in [
        ("api", "articles.py"),
        ("tests/typescript/odd", "odd.py"),
        ("crates/rulebook-model/tests/definitions/good/unions", "unions.py"),
        ("crates/rulebook-model/tests/definitions/good/whole-body", "whole_body.py"),
    ] {
        let api = Rulebook::load(Path::new(folder)).check().expect("the definition is valid");
        golden::compare(&Path::new("tests/python").join(kept), &python(&api));
    }
}

#[test]
fn names_that_python_reserves_are_changed_in_python_clients() {
    let text = json!({ "info": "I", "type": "string" });
    let methods = json!({ "POST": {
        "id": "import.list",
        "info": "Ends with \"quotes\"",
        "in": { "class": text, "class_": text, "self": text, "2a": text, "a-b": text, "a.b": text, "__x": text },
        "out": { "list": { "info": "I", "type": "array<string>" }, "type": { "info": "I", "type": "string" } }
    } });
    let engine = engine(&[("x.json", json!({ "/": { "x": methods } }))], |rulebook| {
        rulebook.unbound(rulebook::Unbound::NotImplemented)
    });
    let client = python(engine.api());
    for part in [
        "        self.import_ = ImportFunctions(self._api)\n",
        "    def list(\n        self,\n        *,\n        class_ab3e0bff: str,\n        class_32ac4ce0: str,\n        self_: str,\n        n2a: str,\n",
        "        a_b_2a89df63: str,\n        a_b_108bf50c: str,\n        x: str,\n",
        "(\"__x\", x)",
        "ImportListResult = TypedDict(",
        "        \"\"\"Ends with \"quotes\"\n",
    ] {
        assert!(client.contains(part), "{part}: {client}");
    }
}

#[test]
fn python_arguments_do_not_hide_the_type_of_the_result() {
    let api = Rulebook::load("tests/typescript/names").check().expect("the definition is valid");
    let client = python(&api);
    for part in ["        license_: str,\n", "    ) -> license:\n"] {
        assert!(client.contains(part), "{part}: {client}");
    }
}
