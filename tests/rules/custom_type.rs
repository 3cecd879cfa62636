//! Tests types that a program adds for the custom formatters of PhalApi, such as `email` in PhalApi's documentation.

use std::borrow::Cow;
use std::sync::Arc;

use rulebook::types::{TypeMismatch, Value, Violation};
use rulebook::{Rulebook, Unbound};
use rulebook_model::compile::{ProgramExtensions, check_definition};
use rulebook_model::definition::read;
use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr};
use serde_json::{Value as Json, json};

use super::definition_files;
use crate::client::{Request, TestServer};

/// The type `email` from PhalApi's documentation.
#[derive(Debug, Clone, Copy)]
pub struct EmailType;

impl Type for EmailType {
    fn name(&self) -> &str {
        "email"
    }

    fn info(&self) -> &str {
        "An email address."
    }

    fn compile(&self, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        arguments.expect_no_arguments()?;
        Ok(Arc::new(*self))
    }
}

impl Check for EmailType {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let words = |text: &str, min| text.split('.').count() >= min && text.split('.').all(word);
        match value {
            Value::Text(text) if text.split_once('@').is_some_and(|(user, host)| words(user, 1) && words(host, 2)) => {
                Ok(())
            }
            _ => {
                Err(TypeMismatch::new(self.expected(), value).with_violation(Violation::Custom("Illegal email".into())))
            }
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        "an email address".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string" })
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("email")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        vec!["a@b.c".to_owned().into()]
    }
}

#[test]
fn rules_find_custom_types_in_any_case_and_report_their_errors() {
    let rules = json!({ "User": { "add": {
        "email": { "name": "user_email", "type": "Email", "require": true },
        "more": { "type": "array<EMAIL>", "format": "explode" },
        "any": { "type": "MIXED" },
    } } });
    let engine = Rulebook::read(definition_files(&Json::Null, &rules))
        .add_type(EmailType)
        .unbound(Unbound::Echo)
        .build()
        .unwrap();
    let server = TestServer::start(&engine);
    let get = |query: &str| server.send(&Request::new("GET", format!("/user/add?{query}"))).json();
    let passed = get("user_email=we.all@example.org&more=a@b.c,d@e.f");
    assert_eq!(
        passed["data"]["args"],
        json!({ "email": "we.all@example.org", "more": ["a@b.c", "d@e.f"], "any": null })
    );
    let refused = get("user_email=we.example.org");
    assert_eq!(refused, json!({ "ret": 400, "data": [], "msg": "Bad Request: Illegal email" }));
    assert_eq!(get("user_email=a@b.c&more=a@b.c,d")["msg"], "Bad Request: Illegal email");
}

#[test]
fn the_tree_dialect_compares_names_of_types_with_case() {
    let tree = json!({ "/": { "add": { "GET": { "info": "Adds", "in": { "GET@email": { "info": "Whose", "type": "Email" } } } } } });
    let report =
        Rulebook::read(definition_files(&Json::Null, &tree)).add_type(EmailType).check().unwrap_err().to_string();
    assert!(report.contains("unknown-type") && report.contains("did you mean `email`?"), "{report}");
}

/// Replaces the built-in type `phone`.
#[derive(Debug, Clone, Copy)]
struct PhoneType;

impl Type for PhoneType {
    fn name(&self) -> &str {
        "phone"
    }

    fn info(&self) -> &str {
        "A phone number."
    }

    fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(EmailType))
    }
}

#[test]
fn built_in_types_that_rules_name_in_another_case_are_warnings() {
    let add = json!({
        "number": { "type": "Phone" },
        "more": { "type": "array<?MAIL>", "require": true },
        "phone": { "type": "phone" },
        "known": { "type": "Boolean" },
        "list": { "type": "Array<Int>" },
        "word": { "type": "enum(Phone|Mail)" },
    });
    let rules = json!({ "User": { "*": { "id": { "type": "UUID" } }, "add": add, "get": {} } });
    let app = json!({
        "envelope": "phalapi", "service": { "on": false }, "common": { "sign": { "type": "Hash" } }
    });
    let warnings = |app: &Json, file: &Json, types: Vec<Arc<dyn Type>>| -> Vec<String> {
        let extensions = ProgramExtensions { types, ..ProgramExtensions::default() };
        let checked = check_definition(read(definition_files(app, file)), extensions).unwrap();
        checked.warnings.iter().map(|warning| format!("{}: {}", warning.code, warning.message)).collect()
    };
    let expected = |name: &str| {
        format!("builtin-type: `{name}` is the built-in type `{}`, which PhalApi does not have", name.to_lowercase())
    };
    assert_eq!(warnings(&app, &rules, Vec::new()), ["Hash", "UUID", "Phone", "MAIL"].map(expected));
    assert_eq!(warnings(&app, &rules, vec![Arc::new(PhoneType)]), ["Hash", "UUID", "MAIL"].map(expected));
    // In other dialects, the names of types are case-sensitive.
    let tree = json!({ "GET": { "info": "A method", "in": { "GET@x": { "info": "X", "type": "phone" } } } });
    assert_eq!(warnings(&Json::Null, &tree, Vec::new()), [""; 0]);
}
