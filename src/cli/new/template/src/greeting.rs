//! Greetings, as `api/greeting.json` defines them.

use rulebook::{Args, Context, Module, Refusal};
use serde::{Deserialize, Serialize};

/// The handlers of this module, by method and path.
pub fn module() -> Module {
    Module::new("greeting").get("/greeting/{name}", greet)
}

/// What `GET /greeting/{name}` takes; it has been checked when it arrives here.
#[derive(Deserialize)]
struct Who {
    name: String,
    lang: Lang,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Lang {
    En,
    Fr,
}

/// What it returns.
#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

async fn greet(Args(who): Args<Who>, _: Context) -> Result<Greeting, Refusal> {
    let hello = match who.lang {
        Lang::En => "Hello",
        Lang::Fr => "Bonjour",
    };
    let greeting = format!("{hello}, {}!", who.name);
    Ok(Greeting { greeting })
}
