//! Tests of the API module `greeting`. They send HTTP requests.

use std::error::Error;

use crate_name::app;
use rulebook::Rulebook;
use rulebook_test::Client;

#[test]
fn the_greeting_is_in_the_requested_language() -> Result<(), Box<dyn Error>> {
    let client = Client::new(app(Rulebook::load("api")))?;
    let greet = || client.call("greeting.greet").arg("name", "Ada");

    let response = greet().send();
    assert_eq!(response.status(), 200);
    assert_eq!(response.output("greeting"), "Hello, Ada!");

    let response = greet().arg("lang", "fr").send();
    assert_eq!(response.output("greeting"), "Bonjour, Ada!");

    let response = greet().arg("lang", "xx").send();
    assert_eq!(response.status(), 400);
    assert_eq!(response.invalid_parameters(), ["lang"]);
    Ok(())
}
