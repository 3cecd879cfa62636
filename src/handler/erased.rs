//! A handler without its types, as a plan holds it.

use std::cell::Cell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::read::SlotsReader;
use super::{Args, Context, Fields, Misread, probe};
use crate::call::{Download, Refusal, Returned, Slots};

/// A handler at work. It borrows nothing, so it can go on when its request is gone.
pub type Running = Pin<Box<dyn Future<Output = Result<Returned, Refusal>> + Send>>;

/// A handler whose argument and output types are not known.
pub trait Handler: Send + Sync {
    /// Reads the arguments from the slots. Nothing of the handler runs before what comes back is polled.
    /// `nullable` tells for each slot whether its field tells null from absent.
    ///
    /// # Errors
    /// The arguments do not fit the handler's type, which start-up has ruled out as far as it can.
    fn start(&self, slots: Slots<'_>, nullable: &[bool], context: Context) -> Result<Running, Refusal>;

    /// The names of the argument type's fields, and what they can tell apart.
    fn fields(&self) -> Fields;

    /// Whether it returns a [`Download`] instead of outputs.
    fn is_download(&self) -> bool;

    /// Tries the argument type on slots, without running anything.
    ///
    /// # Errors
    /// What does not fit.
    fn accepts(&self, slots: Slots<'_>) -> Result<(), Misfit>;
}

/// Why an argument type does not take the values that checks let pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The index of the slot whose value does not fit; none where it is no single one.
    pub slot: Option<usize>,
    /// What does not fit.
    pub misread: Misread,
}

/// What can be bound to a method: every `async fn(Args<T>, Context) -> Result<U, Refusal>`
/// whose `T` serde can read, whose `U` it can write or is a [`Download`], and whose future is `Send`. A closure has
/// to be `Clone`: each call runs a copy, so that calls share nothing that they would have to count.
pub trait IntoHandler<M> {
    /// The function without its types.
    fn into_handler(self) -> Arc<dyn Handler>;
}

impl<F, T, U, R> IntoHandler<(T, U, R)> for F
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Serialize + Send + 'static,
    R: Future<Output = Result<U, Refusal>> + Send + 'static,
{
    fn into_handler(self) -> Arc<dyn Handler> {
        let returns = |outputs| Returned::Outputs(Box::new(outputs));
        Arc::new(Typed { function: self, returns, is_download: false, arguments: PhantomData })
    }
}

impl<F, T, R> IntoHandler<(T, R)> for F
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    R: Future<Output = Result<Download, Refusal>> + Send + 'static,
{
    fn into_handler(self) -> Arc<dyn Handler> {
        let returns = |download| Returned::Download(Box::new(download));
        Arc::new(Typed { function: self, returns, is_download: true, arguments: PhantomData })
    }
}

/// A function beside its argument type.
struct Typed<F, T, U> {
    function: F,
    /// What becomes of what it returns.
    returns: fn(U) -> Returned,
    is_download: bool,
    arguments: PhantomData<fn() -> T>,
}

impl<F, T, U, R> Handler for Typed<F, T, U>
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Send + 'static,
    R: Future<Output = Result<U, Refusal>> + Send + 'static,
{
    fn start(&self, slots: Slots<'_>, nullable: &[bool], context: Context) -> Result<Running, Refusal> {
        let arguments = T::deserialize(SlotsReader::new(slots, nullable)).map_err(|error| {
            Refusal::internal(format_args!("{}: the handler's arguments do not fit: {error}", context.method()))
        })?;
        let (function, returns) = (self.function.clone(), self.returns);
        Ok(Box::pin(async move { function(Args(arguments), context).await.map(returns) }))
    }

    fn is_download(&self) -> bool {
        self.is_download
    }

    fn fields(&self) -> Fields {
        probe::fields::<T>()
    }

    fn accepts(&self, slots: Slots<'_>) -> Result<(), Misfit> {
        let at = Cell::new(None);
        T::deserialize(SlotsReader::new(slots, &[]).watched(&at))
            .map(drop)
            .map_err(|misread| Misfit { slot: at.get(), misread })
    }
}
