//! What workers know about the server: its environment without the secrets of rulebook.

use serde_json::json;

use crate::support::{Api, act, ignored_test, worker};

#[test]
fn workers_do_not_get_the_secrets_and_the_trace_of_the_server() {
    let mut test = ignored_test("isolation::the_environment_has_no_variables_of_rulebook");
    test.env("RULEBOOK_PEPPER", "secret").env("RULEBOOK_KEY", "secret").env("VISIBLE", "to workers");
    test.env("TRACEPARENT", "of the server").env("TRACESTATE", "of the server");
    let output = test.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

#[tokio::test]
#[ignore = "`workers_do_not_get_the_secrets_and_the_trace_of_the_server` runs it with environment variables"]
async fn the_environment_has_no_variables_of_rulebook() {
    assert_eq!(std::env::var("RULEBOOK_PEPPER").as_deref(), Ok("secret"));
    assert_eq!(std::env::var("TRACEPARENT").as_deref(), Ok("of the server"));
    let names = "('VISIBLE', 'ADDED', 'RULEBOOK_PEPPER', 'RULEBOOK_KEY', 'TRACEPARENT', 'TRACESTATE')";
    let program = worker(&format!("value = [os.environ.get(name) for name in {names}]"));
    let api = Api::new(&program, json!({})).environment("ADDED", "by the definition".as_ref());
    let engine = api.engine();
    let response = act(&engine, "echo", 1).await;
    assert_eq!(response.get("value"), Some(&json!(["to workers", "by the definition", null, null, null, null])));
}
