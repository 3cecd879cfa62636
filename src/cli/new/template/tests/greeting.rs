//! What clients of the greetings get.

use std::error::Error;

use crate_name::app;
use rulebook::Rulebook;
use rulebook::test::Client;

#[test]
fn everybody_is_greeted_in_their_language() -> Result<(), Box<dyn Error>> {
    let client = Client::new(app(Rulebook::load("api")))?;
    let greet = || client.call("greeting.{name}.get").arg("name", "Ada");

    let answer = greet().send();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.output("greeting"), "Hello, Ada!");

    let answer = greet().arg("lang", "fr").send();
    assert_eq!(answer.output("greeting"), "Bonjour, Ada!");

    let refused = greet().arg("lang", "xx").send();
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.faults(), ["lang"]);
    Ok(())
}
