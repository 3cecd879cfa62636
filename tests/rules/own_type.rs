//! PhalApi's own formatters are types of the program's: the document's `email`.

use std::borrow::Cow;
use std::sync::Arc;

use rulebook::types::{ArgumentError, Arguments, Check, Type, Written};
use rulebook::{Broken, Mismatch, Rulebook, Unbound, Value};
use serde_json::{Value as Json, json};

use super::files;
use crate::client::{Request, Site};

/// `email`, as the document has it.
#[derive(Debug, Clone, Copy)]
pub struct Email;

impl Type for Email {
    fn name(&self) -> &str {
        "email"
    }

    fn info(&self) -> &str {
        "A mail address."
    }

    fn compile(&self, arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        arguments.no_terms()?;
        Ok(Arc::new(*self))
    }
}

impl Check for Email {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let words = |text: &str, least| text.split('.').count() >= least && text.split('.').all(word);
        match &value {
            Value::Text(text) if text.split_once('@').is_some_and(|(user, host)| words(user, 1) && words(host, 2)) => {
                Ok(value)
            }
            _ => Err(Mismatch::new(self.expected(), &value).breaking(Broken::Own("Illegal email".into()))),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        "a mail address".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string" })
    }

    fn written(&self) -> Written {
        Written::term("email")
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        vec!["a@b.c".to_owned().into()]
    }
}

#[test]
fn a_type_of_the_program_is_named_in_any_case_and_says_its_own_words() {
    let rules = json!({ "User": { "add": {
        "email": { "name": "user_email", "type": "Email", "require": true },
        "more": { "type": "array<EMAIL>", "format": "explode" },
        "any": { "type": "MIXED" },
    } } });
    let engine = Rulebook::read(files(&Json::Null, &rules)).add_type(Email).unbound(Unbound::Echo).build().unwrap();
    let site = Site::start(&engine);
    let get = |query: &str| site.send(&Request::new("GET", format!("/user/add?{query}"))).json();
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
fn a_tree_names_types_as_they_are_called() {
    let tree = json!({ "/": { "add": { "GET": { "info": "Adds", "in": { "GET@email": { "info": "Whose", "type": "Email" } } } } } });
    let report = Rulebook::read(files(&Json::Null, &tree)).add_type(Email).check().unwrap_err().to_string();
    assert!(report.contains("unknown-type") && report.contains("did you mean `email`?"), "{report}");
}
