//! Tests that wrong uses of the client fail with a message that says what to change.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::{PARAMETER_NAMES, client_with_parameters_everywhere, client_with_uploads};

#[test]
fn misuse_of_the_client_panics_with_a_message() {
    let client = client_with_parameters_everywhere("string");
    let files = client_with_uploads();
    let call = || client.call("it.{id}.more.put").arg("id", "x");
    let response = call().send();
    let refused = client.get("/nowhere").send();
    let known = PARAMETER_NAMES.map(|name| format!("`{name}`")).join(", ");
    assert_panics(
        || drop(client.call("it.{id}.more.get")),
        "no method `it.{id}.more.get`; did you mean `it.{id}.more.put`?",
    );
    assert_panics(|| drop(client.call("x")), "the API has no method `x`; its methods are: `it.{id}.more.put`");
    assert_panics(
        || drop(call().arg("URL#0", 1)),
        &format!("no parameter with the name `URL#0` in code; its parameters are: {known}"),
    );
    assert_panics(
        || drop(call().file("query", "a", "b")),
        "`query` of `it.{id}.more.put` cannot be a file, because it is in the query",
    );
    assert_panics(
        || drop(files.call("it.post").file("picture", "a", "b")),
        "the name `picture` in code; its parameters are: `title`, `n`, `image`",
    );
    assert_panics(
        || drop(client.call("it.{id}.more.put").send()),
        "requires the argument `id`, which is part of its path",
    );
    assert_panics(
        || drop(call().arg("cookie", "a;b").send()),
        "`cookie` of `it.{id}.more.put` is a cookie, whose value cannot contain `;`",
    );
    assert_panics(|| drop(call().arg("header", "a\nb").send()), "the request cannot be sent: ");
    assert_panics(|| drop(client.get("nowhere").send()), "the path \"nowhere\" does not begin with `/`");
    assert_panics(|| drop(client.get("/a b").send()), "the request cannot be sent: ");
    assert_panics(|| drop(client.request("A B", "/").send()), "the request cannot be sent: ");
    assert_panics(|| drop(response.output("none")), "the response has no output `none`:\n200\n");
    assert_panics(|| drop(refused.outputs()), "the response has no outputs:\n404\n");
    assert_panics(|| drop(refused.output("*")), "the response has no outputs:\n404\n");
    assert_panics(|| drop(client.get("/docs/").send().json()), "the response has no JSON:\n");
}

thread_local! {
    /// The file in which this thread has panicked last.
    static PANICKED_IN: RefCell<String> = RefCell::default();
}

/// Asserts that a function panics in this file, not in that of the client, with a message that contains this text.
#[track_caller]
fn assert_panics(wrong: impl Fn(), words: &str) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let file = info.location().map(|location| location.file().to_owned());
            PANICKED_IN.with_borrow_mut(|known| *known = file.unwrap_or_default());
            previous(info);
        }));
    });
    let failed = catch_unwind(AssertUnwindSafe(wrong)).expect_err(words);
    let message = failed.downcast_ref::<String>().unwrap();
    assert!(message.contains(words), "{words:?} is not in {message:?}");
    assert_eq!(PANICKED_IN.take(), file!(), "{words}");
}
