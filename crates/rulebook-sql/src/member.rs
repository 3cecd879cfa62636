//! The members of objects that statements use by their names: `:order.customer.id`.

use std::sync::Arc;

use rulebook::handler_kind::HandlerError;
use rulebook::types::{Check, Structure};
use serde_json::json;

/// What a type says about the member of its values with a name.
enum Member {
    /// Its type, if the definition contains it.
    Known(Option<Arc<dyn Check>>),
    /// There is no such member, but others.
    Unknown(Vec<String>),
    /// The values have no members.
    NoObject,
}

/// Returns the type of the member of a value that the names lead to; `None` if the definition does not contain it.
/// `parameter` is the name of the value.
pub(crate) fn member_type(
    check: &Arc<dyn Check>,
    parameter: &str,
    path: &[String],
) -> Result<Option<Arc<dyn Check>>, HandlerError> {
    let (mut check, mut owner) = (Arc::clone(check), parameter.to_owned());
    for name in path {
        match member(&*check, name) {
            Member::Known(Some(found)) => check = found,
            Member::Known(None) => return Ok(None),
            Member::Unknown(known) => {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let error = HandlerError::new(format!("the object `{owner}` has no field `{name}`"));
                return Err(error.suggest(name, "fields", &known));
            }
            Member::NoObject => {
                let error = HandlerError::new(format!("`{owner}` is not an object, so that it has no field `{name}`"));
                return Err(error.help(format!("its values are {}", check.in_words())));
            }
        }
        owner = format!("{owner}.{name}");
    }
    Ok(Some(check))
}

fn member(check: &dyn Check, name: &str) -> Member {
    match check.structure() {
        Structure::Nullable(inner) => member(&*inner, name),
        Structure::Schema(schema) => member(&*schema.check, name),
        Structure::Map(value) => Member::Known(Some(value)),
        Structure::Object(shape) => match shape.fields.iter().find(|field| field.name == name) {
            Some(field) => Member::Known(Some(Arc::clone(&field.check))),
            None if shape.fields.is_empty() => Member::Known(None),
            None => Member::Unknown(shape.fields.into_iter().map(|field| field.name).collect()),
        },
        Structure::TaggedUnion { tag, branches } => {
            let mut known = vec![tag];
            for (_, branch) in branches {
                match member(&*branch, name) {
                    Member::Unknown(names) => known.extend(names),
                    // Objects of several types may have the member.
                    Member::Known(_) | Member::NoObject => return Member::Known(None),
                }
            }
            if known[0] == name { Member::Known(None) } else { Member::Unknown(known) }
        }
        _ if check.schema() == json!({}) => Member::Known(None),
        _ => Member::NoObject,
    }
}
