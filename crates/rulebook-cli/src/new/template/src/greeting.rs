//! The handlers of the API module `greeting`, which `api/greeting.json` defines.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

/// Returns the handlers of the API module. Each is registered with its HTTP method and its path.
pub fn module() -> Module {
    Module::new("greeting").get("/greeting/{name}", greet)
}

/// The parameters of `GET /greeting/{name}`. rulebook has checked them before it calls the handler.
#[derive(Deserialize)]
struct GreetParams {
    name: String,
    lang: Lang,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Lang {
    En,
    Fr,
}

/// The outputs of `GET /greeting/{name}`.
#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

async fn greet(Args(params): Args<GreetParams>, _: Context) -> Result<Greeting, ApiError> {
    let hello = match params.lang {
        Lang::En => "Hello",
        Lang::Fr => "Bonjour",
    };
    let greeting = format!("{hello}, {}!", params.name);
    Ok(Greeting { greeting })
}
