//! The struct with the handlers of an API module.

use rulebook_model::model::Module;

use super::method::{MethodCode, name_in_method};
use super::objects::{doc_comment, indented};
use super::type_writer::TypeWriter;
use super::{API_ERROR, Signature};

/// The path of the type that a handler receives besides its arguments.
const CONTEXT: &str = "::rulebook::Context";

/// A handler in the struct of handlers.
struct Handler<'a> {
    code: &'a MethodCode<'a>,
    /// The type parameter for the function.
    function: String,
    /// The type parameter for the future that the function returns.
    future: String,
}

/// Returns the struct `Handlers`, which has a field for the function of each method.
///
/// The functions have type parameters of their own, so that any function, in any file, can be a handler. The bounds of
/// `into_module` say which arguments, outputs and errors it must have.
pub(super) fn handlers_code(module: &Module, methods: &[MethodCode<'_>], types: &mut TypeWriter<'_>) -> String {
    let handlers: Vec<Handler<'_>> = methods
        .iter()
        .map(|code| {
            let mut name = |end| types.name(&name_in_method(&code.signature.name, end));
            Handler { code, function: name("Function"), future: name("Future") }
        })
        .collect();
    let doc = format!(
        "The handlers of the API module `{}`: a function for each method.\n\nA function takes the arguments of its \
         method and the context of the call,\nand returns the outputs or an error of the method.",
        module.name
    );
    let functions = handlers.iter().map(|handler| handler.function.as_str()).collect::<Vec<_>>().join(", ");
    let futures = handlers.iter().map(|handler| handler.future.as_str()).collect::<Vec<_>>().join(", ");
    let fields: String = handlers.iter().map(field).collect();
    let bounds: String = handlers.iter().map(bounds).collect();
    let bindings: String = handlers.iter().map(binding).collect();
    let (doc, name) = (doc_comment(&doc), &module.name);
    format!(
        "{doc}#[derive(Clone)]\npub struct Handlers<{functions}> {{\n{fields}}}\n\n\
         impl<{functions}> Handlers<{functions}> {{\n    \
         /// Binds each function to its method.\n    #[must_use]\n    #[track_caller]\n    \
         pub fn into_module<{futures}>(self) -> ::rulebook::Module\n    where\n{bounds}    {{\n        \
         ::rulebook::Module::new({name:?})\n{bindings}    }}\n}}\n"
    )
}

fn field(handler: &Handler<'_>) -> String {
    let code = handler.code;
    let doc = doc_comment(&format!("{}: {}", code.title, code.method.info));
    indented(&format!("{doc}pub {}: {},", code.signature.name, handler.function))
}

fn bounds(handler: &Handler<'_>) -> String {
    let Handler { code, function, future } = handler;
    let Signature { arguments, outputs, error, .. } = &code.signature;
    format!(
        "        {function}: Fn({arguments}, {CONTEXT}) -> {future} + Clone + Send + Sync + 'static,\n        \
         {future}: Future<Output = Result<{outputs}, {error}>> + Send + 'static,\n"
    )
}

fn binding(handler: &Handler<'_>) -> String {
    let MethodCode { uri, binding, signature: Signature { name, arguments, error, .. }, .. } = handler.code;
    let call = match &**error {
        API_ERROR => format!("(self.{name})(arguments, context)"),
        error => format!(
            "let future = (self.{name})(arguments, context);\n                \
             async move {{ future.await.map_err({error}::into_api_error) }}"
        ),
    };
    let argument = format!("::rulebook::Args(arguments): ::rulebook::Args<{arguments}>");
    format!(
        "            .{binding}({uri:?}, move |{argument}, context: {CONTEXT}| {{\n                {call}\n            \
         }})\n"
    )
}
