//! [`Out`]: outputs of a handler that are compared with the definition when the program starts.

use std::any::TypeId;
use std::cell::Cell;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::argument_fields::argument_fields;
use super::slots_reader::SlotsReader;
use super::{ArgsError, HandlerMismatch, Outputs};
use crate::call::{ArgumentSlots, ReturnedValue};

/// The outputs of a handler, as a type `T` that is compared with the outputs in the definition (`out`) when the program
/// starts. Without `Out`, a type is compared only when a handler returns it
/// ([`Rulebook::verify_outputs`](crate::Rulebook::verify_outputs)).
///
/// `T` implements `serde::Deserialize` besides `serde::Serialize`, because the comparison creates values of `T` from
/// values that the definition allows. The program does not start if `T` lacks an output, has an output that the
/// definition does not declare, has another type for an output, or can omit an output that is required. Bounds of
/// values, such as the length of a text, are not compared.
///
/// ```
/// use rulebook::{ApiError, Args, Context, Module, Out, Rulebook};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Count {
///     articles: u32,
/// }
///
/// async fn count(_: Args<()>, _: Context) -> Result<Out<Count>, ApiError> {
///     Ok(Out(Count { articles: 7 }))
/// }
///
/// let build = |out: &str| {
///     let text = format!(r#"{{ "/": {{ "count": {{ "GET": {{ "info": "Counts", "out": {out} }} }} }} }}"#);
///     Rulebook::read(vec![("site.json".into(), text.into())]).module(Module::new("site").get("/count", count)).build()
/// };
/// assert!(build(r#"{ "articles": { "info": "How many", "type": "uint" } }"#).is_ok());
/// assert!(build(r#"{ "articles": { "info": "How many", "type": "string" } }"#).is_err());
/// assert!(build(r#"{ "authors": { "info": "How many", "type": "uint" } }"#).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out<T>(pub T);

/// Creates values of an output type from values that the definition allows, and converts them to JSON as a response
/// does.
#[derive(Debug, Clone, Copy)]
pub struct OutputProbe {
    /// Creates a value from outputs by name. In the error, `slot` is the index of the rejected output.
    pub from_slots: fn(ArgumentSlots<'_, '_>) -> Result<Json, HandlerMismatch>,
    /// `true` if the fields of the type are known: it is a struct, and not a map.
    pub has_known_fields: bool,
    /// Creates a value from an output that is the whole response.
    pub from_json: fn(&Json) -> Result<Json, String>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Outputs for Out<T> {
    const IS_DOWNLOAD: bool = false;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Outputs(Box::new(self.0))
    }

    fn probe() -> Option<OutputProbe> {
        let has_known_fields = argument_fields::<T>().field_names.is_some();
        Some(OutputProbe { has_known_fields, from_slots: convert_slots::<T>, from_json: convert_json::<T> })
    }
}

fn convert_slots<T: Serialize + DeserializeOwned>(slots: ArgumentSlots<'_, '_>) -> Result<Json, HandlerMismatch> {
    let failed = Cell::new(None);
    let value = T::deserialize(SlotsReader::new(slots, &[]).with_failed_slot(&failed))
        .map_err(|error| HandlerMismatch { slot: failed.get(), error })?;
    serde_json::to_value(value)
        .map_err(|error| HandlerMismatch { slot: None, error: <ArgsError as serde::de::Error>::custom(error) })
}

fn convert_json<T: Serialize + DeserializeOwned>(json: &Json) -> Result<Json, String> {
    T::deserialize(json).and_then(serde_json::to_value).map_err(|error| error.to_string())
}

/// Returns the probe of an output type of which nothing is known, except that it is serializable: that of `()`, which
/// has no outputs.
pub(super) fn probe_of_unknown_type<U: 'static>() -> Option<OutputProbe> {
    let none = OutputProbe { has_known_fields: true, from_slots: |_| Ok(Json::Null), from_json: |_| Ok(Json::Null) };
    (TypeId::of::<U>() == TypeId::of::<()>()).then_some(none)
}
