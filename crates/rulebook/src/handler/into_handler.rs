//! Handlers of any argument and output types, and their conversion to a single type that a plan can contain.

use std::cell::Cell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::slots_reader::SlotsReader;
use super::{Args, ArgsError, Context, Fields, fields};
use crate::call::{ApiError, ArgumentSlots, Download, ReturnedValue};

/// A running handler. It does not borrow from the request, so it can continue after the request has ended.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<ReturnedValue, ApiError>> + Send>>;

/// A handler with erased argument and output types.
pub trait Handler: Send + Sync {
    /// Deserializes the arguments from the slots, and returns a future that runs the handler. `nullable` has one item
    /// for each slot: `true` if the field distinguishes null from a missing argument.
    ///
    /// # Errors
    /// Returns an internal error if the argument type does not accept the values. The check at startup finds most of
    /// these errors.
    fn start(&self, slots: ArgumentSlots<'_>, nullable: &[bool], context: Context) -> Result<HandlerFuture, ApiError>;

    /// Returns the fields of the argument type.
    fn fields(&self) -> Fields;

    /// Returns `true` if the handler returns a [`Download`] instead of outputs.
    fn is_download(&self) -> bool;

    /// Checks whether the argument type accepts the values of slots, without running the handler.
    ///
    /// # Errors
    /// Fails if the argument type does not accept the values.
    fn check_slots(&self, slots: ArgumentSlots<'_>) -> Result<(), HandlerMismatch>;
}

/// The error that an argument type does not accept values which the definition allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerMismatch {
    /// The index of the slot whose value is not accepted; `None` if the error does not belong to a single slot.
    pub slot: Option<usize>,
    /// The error of the argument type.
    pub error: ArgsError,
}

/// A function that can be bound to a method: `async fn(Args<T>, Context) -> Result<U, ApiError>`.
///
/// - `T` holds the arguments: any type that implements `serde::Deserialize`.
/// - `U` holds the outputs: any type that implements `serde::Serialize`, or [`Download`].
/// - The future must be `Send`.
/// - Closures must be `Clone`: each call runs a copy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the handler of a method",
    label = "not a handler",
    note = "a handler is an `async fn(Args<T>, Context) -> Result<U, ApiError>`",
    note = "`T` implements `serde::Deserialize`; `U` implements `serde::Serialize` or is `rulebook::Download`",
    note = "its future is `Send`: it holds no `Rc`, `RefCell` borrow or `MutexGuard` across an `.await`"
)]
pub trait IntoHandler<M> {
    /// Erases the types of the function.
    #[doc(hidden)]
    fn into_handler(self) -> Arc<dyn Handler>;
}

/// The type that a handler returns if it succeeds: every type that implements `serde::Serialize`, or a [`Download`].
pub trait Outputs: Send + 'static {
    /// `true` for a [`Download`].
    const IS_DOWNLOAD: bool;

    /// Erases the type.
    fn into_returned(self) -> ReturnedValue;
}

impl<U: Serialize + Send + 'static> Outputs for U {
    const IS_DOWNLOAD: bool = false;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Outputs(Box::new(self))
    }
}

impl Outputs for Download {
    const IS_DOWNLOAD: bool = true;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Download(Box::new(self))
    }
}

// There is a single implementation for all handlers: with several, the compiler would not report which bound is not
// satisfied.
impl<F, T, U, R> IntoHandler<(T, R)> for F
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Outputs,
    R: Future<Output = Result<U, ApiError>> + Send + 'static,
{
    fn into_handler(self) -> Arc<dyn Handler> {
        Arc::new(Typed { function: self, arguments: PhantomData::<fn() -> T> })
    }
}

/// A function together with its argument type, which implements [`Handler`].
struct Typed<F, T> {
    function: F,
    arguments: PhantomData<fn() -> T>,
}

impl<F, T, U, R> Handler for Typed<F, T>
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Outputs,
    R: Future<Output = Result<U, ApiError>> + Send + 'static,
{
    fn start(&self, slots: ArgumentSlots<'_>, nullable: &[bool], context: Context) -> Result<HandlerFuture, ApiError> {
        let arguments = T::deserialize(SlotsReader::new(slots, nullable)).map_err(|error| {
            ApiError::internal(format_args!("{}: the handler's arguments do not fit: {error}", context.method()))
        })?;
        let function = self.function.clone();
        Ok(Box::pin(async move { function(Args(arguments), context).await.map(U::into_returned) }))
    }

    fn is_download(&self) -> bool {
        U::IS_DOWNLOAD
    }

    fn fields(&self) -> Fields {
        fields::fields::<T>()
    }

    fn check_slots(&self, slots: ArgumentSlots<'_>) -> Result<(), HandlerMismatch> {
        let failed = Cell::new(None);
        T::deserialize(SlotsReader::new(slots, &[]).with_failed_slot(&failed))
            .map(drop)
            .map_err(|error| HandlerMismatch { slot: failed.get(), error })
    }
}
