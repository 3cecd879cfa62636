//! What a worker says about the functions that handle methods, and whether a function fits the definition of its
//! method.

use std::collections::HashMap;

use rulebook::handler_kind::{HandlerError, printable};
use rulebook::model::{Method, Span};
use serde::Deserialize;

/// The methods that a worker handles, by their ids, with their functions.
pub type HandledMethods = HashMap<String, Function>;

/// A function that handles a method, as far as the worker describes it.
#[derive(Debug, Default, Deserialize)]
pub struct Function {
    /// The name of the function in the program.
    function: Option<String>,
    /// Where the function is in the program, such as `handlers.py:12`.
    location: Option<String>,
    /// The names of its parameters for arguments.
    #[serde(default)]
    parameters: Vec<String>,
    /// The names of those parameters that accept neither a missing argument nor null.
    #[serde(default)]
    required: Vec<String>,
}

/// A method as its function must fit it.
#[derive(Debug)]
pub struct ExpectedMethod {
    pub id: String,
    /// The position of the method in the definition.
    pub span: Span,
    parameters: Vec<ExpectedParameter>,
}

#[derive(Debug)]
struct ExpectedParameter {
    name: String,
    span: Span,
    /// `true` if the function can get no argument for the parameter, or null.
    may_be_missing: bool,
}

impl ExpectedMethod {
    pub fn new(method: &Method) -> Self {
        let parameters = method.parameters.iter().map(|parameter| ExpectedParameter {
            name: parameter.name.clone(),
            span: parameter.span,
            may_be_missing: parameter.optional && parameter.default.is_none(),
        });
        Self { id: method.id.clone(), span: method.span, parameters: parameters.collect() }
    }

    /// Returns an error for each parameter of the function that differs from the definition of the method. A function
    /// may omit parameters of the method.
    pub fn mismatches(&self, function: &Function) -> Vec<HandlerError> {
        let described = function.describe();
        let names: Vec<_> = self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let unknown = function.parameters.iter().filter(|name| !names.contains(&name.as_str())).map(|name| {
            let shown = printable(name.as_bytes());
            let message =
                format!("{described} has a parameter `{shown}`, which is not a parameter of the method `{}`", self.id);
            HandlerError::new(message).at(self.span).suggest(name, "parameters of the method", &names)
        });
        let missing = self
            .parameters
            .iter()
            .filter(|parameter| parameter.may_be_missing && function.required.contains(&parameter.name));
        let missing = missing.map(|parameter| {
            let name = &parameter.name;
            let message = format!(
                "{described} does not accept null for its parameter `{name}`, which is optional in the method `{}`",
                self.id
            );
            let help = "give the parameter of the function a default or a type that allows null, or give the parameter \
                        in the definition a `default`";
            HandlerError::new(message).at(parameter.span).help(help)
        });
        unknown.chain(missing).collect()
    }
}

impl Function {
    /// Returns the name of the function and where it is.
    fn describe(&self) -> String {
        let name = match &self.function {
            Some(name) => format!("the function `{}`", printable(name.as_bytes())),
            None => "the handler".to_owned(),
        };
        match &self.location {
            Some(location) => format!("{name} ({})", printable(location.as_bytes())),
            None => name,
        }
    }
}
