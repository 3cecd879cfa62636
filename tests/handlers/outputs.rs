//! Tests `verify_outputs`, which compares the outputs of handlers with the `out` of their methods.

use rulebook::error::ErrorCode;
use rulebook::{ApiError, Args, Context, Engine, Module, Rulebook};
use serde_json::{Value as Json, json};

use super::{call, files};

/// Builds an API with one method. Its handler returns `outputs`, and its definition contains `out`. The outputs are
/// compared with the definition if `verify` is `true`.
fn engine_that_returns(out: &Json, outputs: &Json, verify: bool) -> Engine {
    let definition = json!({ "/": { "it": { "GET": { "info": "Returns it", "out": out } } } });
    let outputs = outputs.clone();
    let handler = move |_: Args<()>, _: Context| {
        let outputs = outputs.clone();
        async move { Ok::<_, ApiError>(outputs) }
    };
    let module = Module::new("it").get("/it", handler);
    Rulebook::read(files("it", &definition)).module(module).verify_outputs(verify).build().unwrap()
}

#[test]
fn outputs_that_differ_from_the_definition_are_internal_errors_that_the_log_explains() {
    let members = json!({
        "id": { "info": "Which", "type": "id" },
        "note": { "info": "A note", "type": "?string" },
        "token": { "info": "A token", "type": "?object", "fields": { "hash": { "info": "Of it", "type": "hash" } } }
    });
    let whole = json!({ "*": { "info": "All", "type": "array<id>" } });
    let cases = [
        (&members, json!({ "id": 1 }), None),
        (&members, json!({ "id": 1, "note": null, "more": [] }), None),
        (&members, json!({ "note": "x" }), Some("the output `id` is missing")),
        (&members, Json::Null, Some("the output `id` is missing")),
        (&members, json!({ "id": -1 }), Some("the output `id`: expected a whole number from 0 to 2147483647, got -1")),
        (&members, json!({ "id": 1, "token": { "hash": "hunter2" } }), Some("the output `token.hash`: expected")),
        (&whole, json!([1, 2]), None),
        (&whole, json!([1, "x"]), Some("the output `*[1]`: expected")),
        (&whole, json!({ "id": 1 }), Some("the output `*`: expected")),
    ];
    for (out, outputs, wrong) in cases {
        let response = call(&engine_that_returns(out, &outputs, true), "it.get", &json!({}));
        match (response.error(), wrong) {
            (None, None) => {}
            (Some(error), Some(words)) => {
                assert_eq!((error.code(), error.to_string().as_str()), (ErrorCode::Internal, "the program failed"));
                let log = error.log().unwrap();
                assert!(log.contains(words) && !log.contains("hunter2"), "{outputs}: {log}");
            }
            (error, _) => panic!("{outputs}: {error:?}, expected {wrong:?}"),
        }
        let outcome = call(&engine_that_returns(out, &outputs, false), "it.get", &json!({})).outputs();
        assert_eq!(outcome.unwrap(), outputs, "nothing is compared by default");
    }
}
