//! The handlers of the API module `greeting`, which `api/greeting.json` defines.

use rulebook::{ApiError, Context, Module};

use crate::api::greeting::{GreetArguments, GreetLang, GreetOutputs, Handlers};

/// Returns the handlers of the API module: a function for each method.
pub fn module() -> Module {
    Handlers { greet }.into_module()
}

async fn greet(arguments: GreetArguments, _: Context) -> Result<GreetOutputs, ApiError> {
    let hello = match arguments.lang {
        GreetLang::En => "Hello",
        GreetLang::Fr => "Bonjour",
    };
    let greeting = format!("{hello}, {}!", arguments.name);
    Ok(GreetOutputs { greeting })
}
