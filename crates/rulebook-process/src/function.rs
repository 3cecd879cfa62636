//! What a worker says about the functions that handle methods, and whether a function fits the definition of its
//! method.

use std::collections::HashMap;

use rulebook::handler_kind::{HandlerError, argument_types, printable, python_type};
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
    /// The types that the function declares for those parameters.
    #[serde(default)]
    annotations: HashMap<String, Annotation>,
}

/// The type that a function declares for a parameter.
#[derive(Debug, Deserialize)]
struct Annotation {
    /// The type in the language of the program.
    r#type: String,
    /// The JSON types of the arguments that the parameter accepts.
    accepts: Vec<String>,
}

/// The JSON types of arguments, and their names in Python and PHP.
const NAMES: [(&str, &str); 5] = [
    ("array", "`list` in Python, `array` in PHP"),
    ("boolean", "`bool`"),
    ("number", "`int` or `float`"),
    ("object", "`dict` in Python, `array` in PHP"),
    ("string", "`str` in Python, `string` in PHP"),
];

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
    /// The type in the definition.
    term: String,
    /// The JSON types of its arguments; none if they are not known.
    types: Vec<&'static str>,
    /// The type in Python to which arguments are converted.
    python: Option<&'static str>,
}

impl ExpectedMethod {
    pub fn new(method: &Method) -> Self {
        let parameters = method.parameters.iter().map(|parameter| ExpectedParameter {
            name: parameter.name.clone(),
            span: parameter.span,
            may_be_missing: parameter.optional && parameter.default.is_none(),
            term: parameter.r#type.check.type_expr().term,
            types: argument_types(parameter),
            python: python_type(&*parameter.r#type.check),
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
        let other_types = self.parameters.iter().filter_map(|parameter| {
            let annotation = function.annotations.get(&parameter.name)?;
            let is_accepted = |r#type: &&str| annotation.accepts.iter().any(|accepted| accepted == r#type);
            let never = !parameter.types.is_empty() && !parameter.types.iter().any(is_accepted);
            never.then(|| parameter.annotation_error(annotation, &described))
        });
        unknown.chain(missing).chain(other_types).collect()
    }
}

impl ExpectedParameter {
    /// Returns the error of an annotation that accepts no argument of the parameter.
    fn annotation_error(&self, annotation: &Annotation, function: &str) -> HandlerError {
        let (name, term, shown) = (&self.name, &self.term, printable(annotation.r#type.as_bytes()));
        let known: Vec<_> = NAMES.iter().filter(|(r#type, _)| self.types.contains(r#type)).collect();
        let types = known.iter().map(|(r#type, _)| format!("`{type}`")).collect::<Vec<_>>().join(" or ");
        let names = known.iter().map(|(_, names)| *names).collect::<Vec<_>>().join("; ");
        let converted = self.python.map(|python| format!("`{python}` or ")).unwrap_or_default();
        HandlerError::new(format!(
            "{function} has the type `{shown}` for its parameter `{name}`, which accepts no value of the type `{term}` \
             ({types} in JSON)"
        ))
        .at(self.span)
        .help(format!("write {converted}{names}, or change the type in the definition"))
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
