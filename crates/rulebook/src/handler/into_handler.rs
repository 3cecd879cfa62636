//! Converts handlers with different argument and output types to one type, [`Handler`], that a plan can contain.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::argument_fields::argument_fields;
use super::slots_reader::SlotsReader;
use super::{Args, ArgsError, ArgumentFields, Context, OutputProbe, out};
use crate::call::{ApiError, ArgumentSlots, Download, ReturnedValue};

/// The future of a running handler. It does not borrow from the request, so that it can continue after the client has
/// disconnected.
pub type HandlerFuture = BoxFuture<'static, Result<ReturnedValue, ApiError>>;

/// A handler whose argument type and output type have been erased.
pub trait Handler: Send + Sync {
    /// Deserializes the arguments from the slots, and returns a future that runs the handler. `nullable` has one item
    /// for each slot: `true` if the argument's field is an `Option<Option<_>>`, which distinguishes null from an
    /// omitted argument. Fails if the argument type does not accept the values, which the check at startup mostly
    /// finds.
    fn start(
        &self,
        slots: ArgumentSlots<'_, '_>,
        nullable: &[bool],
        context: Context,
    ) -> Result<HandlerFuture, ApiError>;

    /// Returns the fields of the handler's argument type.
    fn argument_fields(&self) -> ArgumentFields;

    /// Returns `true` if the handler returns a [`Download`] instead of outputs.
    fn returns_download(&self) -> bool;

    /// Returns the functions that create values of the output type, if the output type can be compared with the
    /// definition at startup.
    fn output_probe(&self) -> Option<OutputProbe>;

    /// Checks whether the argument type accepts these values of parameters, without running the handler.
    fn check_slots(&self, slots: ArgumentSlots<'_, '_>) -> Result<(), HandlerMismatch>;
}

/// The error that a handler's argument type rejects values that the definition allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerMismatch {
    /// The index of the slot whose value the argument type rejects; `None` if the error concerns several slots.
    pub slot: Option<usize>,
    /// The error that the argument type reported.
    pub error: ArgsError,
}

/// A function that can handle a method of the API: `async fn(Args<T>, Context) -> Result<U, ApiError>`.
///
/// - `T` holds the arguments. It is any type that implements `serde::Deserialize`.
/// - `U` holds the outputs. It is any type that implements `serde::Serialize`, [`Out`](crate::Out) or [`Download`].
/// - The future of the function must be `Send`.
/// - A closure must be `Clone`, because each call runs a copy of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the handler of a method",
    label = "not a handler",
    note = "a handler is an `async fn(Args<T>, Context) -> Result<U, ApiError>`",
    note = "`T` implements `serde::Deserialize`; `U` implements `serde::Serialize` or is `rulebook::Download`",
    note = "its future is `Send`: it holds no `Rc`, `RefCell` borrow or `MutexGuard` across an `.await`"
)]
pub trait IntoHandler<M> {
    /// Erases the argument type and the output type of the function.
    #[doc(hidden)] // Its result is a type of the engine.
    fn into_handler(self) -> Arc<dyn Handler>;
}

/// The type that a handler returns if it succeeds: any type that implements `serde::Serialize`, [`Out`](crate::Out) or
/// [`Download`].
pub trait Outputs: Send + 'static {
    /// `true` if this type is [`Download`].
    const IS_DOWNLOAD: bool;

    /// Converts the value to the type that the results of all handlers have in common.
    fn into_returned(self) -> ReturnedValue;

    /// Returns the functions that create values of this type, if it can be compared with the definition at startup.
    fn probe() -> Option<OutputProbe>;
}

impl<U: Serialize + Send + 'static> Outputs for U {
    const IS_DOWNLOAD: bool = false;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Outputs(Box::new(self))
    }

    fn probe() -> Option<OutputProbe> {
        out::probe_of_unknown_type::<U>()
    }
}

impl Outputs for Download {
    const IS_DOWNLOAD: bool = true;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Download(Box::new(self))
    }

    fn probe() -> Option<OutputProbe> {
        None
    }
}

// One implementation covers all handlers. With several implementations, the compiler would not report which bound of
// the function is not satisfied.
impl<F, T, U, R> IntoHandler<(T, R)> for F
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Outputs,
    R: Future<Output = Result<U, ApiError>> + Send + 'static,
{
    fn into_handler(self) -> Arc<dyn Handler> {
        Arc::new(TypedHandler { function: self, arguments: PhantomData::<fn() -> T> })
    }
}

/// A handler function together with its argument type `T`.
struct TypedHandler<F, T> {
    function: F,
    arguments: PhantomData<fn() -> T>,
}

impl<F, T, U, R> Handler for TypedHandler<F, T>
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Outputs,
    R: Future<Output = Result<U, ApiError>> + Send + 'static,
{
    fn start(
        &self,
        slots: ArgumentSlots<'_, '_>,
        nullable: &[bool],
        context: Context,
    ) -> Result<HandlerFuture, ApiError> {
        let arguments = T::deserialize(SlotsReader::new(slots, nullable)).map_err(|error| {
            ApiError::internal(format_args!("{}: the handler's arguments do not fit: {error}", context.method()))
        })?;
        let function = self.function.clone();
        Ok(Box::pin(async move { function(Args(arguments), context).await.map(U::into_returned) }))
    }

    fn returns_download(&self) -> bool {
        U::IS_DOWNLOAD
    }

    fn argument_fields(&self) -> ArgumentFields {
        argument_fields::<T>()
    }

    fn output_probe(&self) -> Option<OutputProbe> {
        U::probe()
    }

    fn check_slots(&self, slots: ArgumentSlots<'_, '_>) -> Result<(), HandlerMismatch> {
        let failed = Cell::new(None);
        T::deserialize(SlotsReader::new(slots, &[]).with_failed_slot(&failed))
            .map(drop)
            .map_err(|error| HandlerMismatch { slot: failed.get(), error })
    }
}
