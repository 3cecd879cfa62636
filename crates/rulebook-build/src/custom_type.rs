//! Types of the program, of which a build script knows only the names.

use std::sync::Arc;

use rulebook_model::call::{TypeMismatch, Value};
use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr};
use serde_json::{Value as Json, json};

/// A type that the program adds with `Rulebook::add_type`. Its values are JSON values in the generated code.
#[derive(Debug, Clone)]
pub(crate) struct CustomType(pub(crate) String);

/// The attributes that types can have. The program itself checks which of them its type has.
const ATTRIBUTES: [&str; 8] = ["min", "max", "regex", "format", "separator", "range", "ext", "params"];

impl Type for CustomType {
    fn name(&self) -> &str {
        &self.0
    }

    fn info(&self) -> &'static str {
        "A type of the program."
    }

    fn attributes(&self) -> &[&str] {
        &ATTRIBUTES
    }

    fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(self.clone()))
    }
}

/// Every value is valid.
impl Check for CustomType {
    fn check(&self, _: &mut Value<'_>) -> Result<(), TypeMismatch> {
        Ok(())
    }

    fn expected(&self) -> std::borrow::Cow<'static, str> {
        "a value of the program's type".into()
    }

    fn schema(&self) -> Json {
        json!({})
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.0.clone())
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}
