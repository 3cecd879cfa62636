//! The start of a pool: whether its first worker is ready, and has a handler for each method that fits it.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rulebook::handler_kind::HandlerError;
use rulebook::model::{Method, Span};
use tokio::sync::oneshot;

use crate::function::{ExpectedMethod, HandledMethods};

/// The methods for which the first worker that is ready has handlers, if it lists them, or the reason why the first
/// worker could not start.
pub type FirstStart = Result<Option<HandledMethods>, String>;

/// What the start of a pool needs: its methods, and where the result of the first start of a worker is sent.
#[derive(Debug)]
pub struct PoolStart {
    /// The command, for the log and for errors in the definition.
    pub name: String,
    /// The ids of all methods of the API, also of those that another pool or another kind of handler handles: several
    /// pools can have the same program.
    api_methods: HashSet<String>,
    methods: Mutex<Vec<PoolMethod>>,
    first: Mutex<Option<oneshot::Sender<FirstStart>>>,
}

/// A method whose handler is a pool.
#[derive(Debug)]
struct PoolMethod {
    expected: ExpectedMethod,
    /// The span of the command in the definition.
    command: Span,
}

impl PoolStart {
    pub fn new(name: String, api_methods: HashSet<String>) -> Self {
        Self { name, api_methods, methods: Mutex::default(), first: Mutex::default() }
    }

    /// Adds a method that the pool handles. `command` is the span of the command in its definition.
    pub fn add_method(&self, method: &Method, command: Span) {
        lock(&self.methods).push(PoolMethod { expected: ExpectedMethod::new(method), command });
    }

    /// Sets the channel to which the result of the first start of a worker is sent.
    pub fn set_first_start_sender(&self, sender: oneshot::Sender<FirstStart>) {
        *lock(&self.first) = Some(sender);
    }

    /// Reports the start of a worker. Only the first report has an effect.
    pub fn report(&self, start: FirstStart) {
        if let Some(sender) = lock(&self.first).take() {
            // The receiver is dropped if the engine no longer waits for the start.
            let _ = sender.send(start);
        }
    }

    /// Returns the errors of the start: the worker could not start, or its handlers do not fit the methods.
    pub fn errors(&self, first: Result<FirstStart, oneshot::error::RecvError>) -> Vec<HandlerError> {
        let handled = match first {
            Ok(Ok(Some(handled))) => handled,
            Ok(Ok(None)) => return Vec::new(),
            Ok(Err(reason)) => return vec![self.error(&reason)],
            Err(_) => return vec![self.error("the task of the worker ended")],
        };
        for unknown in handled.keys().filter(|id| !self.api_methods.contains(*id)) {
            log::warn!("{}: the definition has no method `{}`", self.name, unknown.escape_debug());
        }
        let methods = lock(&self.methods);
        let errors = |PoolMethod { expected, .. }: &PoolMethod| {
            if let Some(function) = handled.get(&expected.id) {
                return expected.mismatches(function);
            }
            let message = format!("the worker `{}` has no handler for the method `{}`", self.name, expected.id);
            let error = HandlerError::new(message).at(expected.span);
            let mut known: Vec<_> = handled.keys().map(String::as_str).collect();
            known.sort_unstable();
            vec![error.suggest(&expected.id, "handlers of the program", &known)]
        };
        methods.iter().flat_map(errors).collect()
    }

    /// Returns an error that concerns the command.
    pub fn error(&self, reason: &str) -> HandlerError {
        let error = HandlerError::new(format!("the worker `{}` does not start: {reason}", self.name));
        self.at_command(error.help(match reason {
            "exit status: 0" => "the program ends without an error: call `serve()` at its end, which waits for calls",
            _ => "run the command in the working directory of the workers to see what it prints",
        }))
    }

    /// Returns the warning that the functions are not compared with the methods, because no worker can be started.
    pub fn unchecked(&self) -> HandlerError {
        let message = format!("the functions of the worker `{}` are not checked: there is no such program", self.name);
        self.at_command(HandlerError::new(message).help("install the program, and check again"))
    }

    fn at_command(&self, error: HandlerError) -> HandlerError {
        let span = lock(&self.methods).first().map(|method| method.command);
        match span {
            Some(span) => error.at(span),
            None => error,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
