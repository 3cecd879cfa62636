//! What workers know about the server: its environment without the secrets of rulebook.

use serde_json::json;

use crate::support::{Api, act, ignored_test, worker};

#[test]
fn workers_do_not_get_the_secrets_of_the_server() {
    let mut test = ignored_test("isolation::the_environment_has_no_variables_of_rulebook");
    test.env("RULEBOOK_PEPPER", "secret").env("RULEBOOK_KEY", "secret").env("VISIBLE", "to workers");
    let output = test.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

#[tokio::test]
#[ignore = "`workers_do_not_get_the_secrets_of_the_server` runs it with environment variables"]
async fn the_environment_has_no_variables_of_rulebook() {
    assert_eq!(std::env::var("RULEBOOK_PEPPER").as_deref(), Ok("secret"));
    let program =
        worker("value = [os.environ.get(name) for name in ('VISIBLE', 'ADDED', 'RULEBOOK_PEPPER', 'RULEBOOK_KEY')]");
    let api = Api::new(&program, json!({})).environment("ADDED", "by the definition".as_ref());
    let engine = api.engine();
    let response = act(&engine, "echo", 1).await;
    assert_eq!(response.get("value"), Some(&json!(["to workers", "by the definition", null, null])));
}
