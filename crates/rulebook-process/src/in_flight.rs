//! Calls that wait for a worker, or that a worker handles, and the events that end them.

use std::time::Duration;

use rulebook::{ApiError, RequestId, Upload};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::message::ApiCall;

/// A call for a pool of workers.
#[derive(Debug)]
pub struct Job {
    /// The id of the call in messages. No two calls have the same.
    pub id: u64,
    /// The text that the worker gets: a message with its line break, or the arguments of a process for one call.
    pub text: Vec<u8>,
    /// The environment variables of a process for one call. For workers, they are a part of `text`.
    pub variables: Vec<(&'static str, String)>,
    /// The time limit of the call. The call waits for a worker at most for this time, too.
    pub timeout: Duration,
    /// The id of the request, for the log.
    pub request_id: Option<RequestId>,
    /// The uploaded files among the arguments. They are removed when the call ends.
    pub uploads: Vec<Upload>,
    /// Receives the next event of the call. It is closed if no handler waits for the call.
    pub events: oneshot::Sender<Event>,
}

/// An event of a call.
#[derive(Debug)]
pub enum Event {
    /// The worker has returned the outputs, as JSON text.
    Result(Box<RawValue>),
    /// The worker has returned an error: a JSON-RPC error object.
    Error(Box<RawValue>),
    /// The worker calls a method of the API. Further events follow.
    ApiCall(Box<ApiCall>),
    /// The call has failed without a response of the worker.
    Failed(Failure),
}

/// Why a call has no response of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The worker ended, for this reason.
    Ended(String),
    /// The response of the worker is not valid, for this reason.
    Invalid(String),
    /// The worker did not respond within the time limit.
    Late(Duration),
    /// No worker took the call within the time limit.
    NotStarted(Duration),
    /// The queue of the pool is full.
    QueueFull(usize),
    /// No worker can be started.
    NoWorker,
    /// The server ends.
    Stopping,
}

impl Failure {
    /// Returns the error for the client, with the reason for the log.
    pub fn into_error(self, method: &str) -> ApiError {
        match self {
            Self::Ended(reason) => ApiError::bad_gateway(format_args!("{method}: {reason}")),
            Self::Invalid(reason) => {
                ApiError::bad_gateway(format_args!("{method}: the response of the worker is not valid: {reason}"))
            }
            Self::Late(limit) => {
                ApiError::gateway_timeout(format_args!("{method}: the worker has not responded within {limit:?}"))
            }
            Self::NotStarted(limit) => {
                ApiError::unavailable(format_args!("{method}: no worker took the call within {limit:?}"))
            }
            Self::QueueFull(length) => {
                ApiError::unavailable(format_args!("{method}: {length} calls wait for a worker already"))
            }
            Self::NoWorker => ApiError::unavailable(format_args!("{method}: no worker can be started")),
            Self::Stopping => ApiError::unavailable(format_args!("{method}: the workers are stopping")),
        }
    }
}
