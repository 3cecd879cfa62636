//! Tests the documents of an API that has a parameter type whose schema panics.

use std::borrow::Cow;
use std::sync::Arc;

use rulebook::types::{TypeMismatch, Value};
use rulebook::{Rulebook, Unbound};
use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr};
use serde_json::{Value as Json, json};

use crate::client::{Request, TestServer};

/// A parameter type whose JSON Schema is not implemented: the function `schema` panics.
#[derive(Debug, Clone, Copy)]
struct TypeWithoutSchema;

impl Type for TypeWithoutSchema {
    fn name(&self) -> &str {
        "unfinished"
    }

    fn info(&self) -> &str {
        "anything"
    }

    fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(*self))
    }
}

impl Check for TypeWithoutSchema {
    fn check(&self, _: &mut Value<'_>) -> Result<(), TypeMismatch> {
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        "anything".into()
    }

    fn schema(&self) -> Json {
        panic!("there is none yet")
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("unfinished")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}

#[test]
fn methods_can_be_called_even_if_the_schema_of_a_type_panics() {
    let definition = json!({ "/": { "it": { "GET": {
        "info": "It", "in": { "GET@x": { "info": "Something", "type": "unfinished", "name": "x" } }
    } } } });
    let files = vec![("it.json".into(), definition.to_string().into_bytes())];
    let server =
        TestServer::start(&Rulebook::read(files).add_type(TypeWithoutSchema).unbound(Unbound::Echo).build().unwrap());
    for (method, target) in [("GET", "/openapi.json"), ("OPTIONS", "/it"), ("OPTIONS", "*")] {
        assert_eq!(server.send(&Request::new(method, target)).json(), json!({}), "{method} {target}");
    }
    let response = server.send(&Request::new("GET", "/it?x=1"));
    assert_eq!((response.status, &response.json()["args"]), (200, &json!({ "x": "1" })));
}
