//! Limits of results.

use serde_json::json;

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};
use crate::waiting::{WAIT, wait_until};

fn numbers(database: &TestDatabase, count: u32) -> String {
    database.pick([
        format!("with recursive c(n) as (select 1 union all select n + 1 from c where n < {count}) select n from c"),
        format!("select generate_series(1, {count}) as n"),
        format!("select seq as n from seq_1_to_{count}"),
    ])
}

#[test]
fn a_result_with_too_many_rows_is_an_error() {
    for_each_database(|database| {
        let list = |settings: serde_json::Value| {
            let mut handler = json!({ "sql": numbers(database, 101) });
            handler.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
            method(json!({}), json!({ "*": of_type("array<int>") }), handler)
        };
        let api = database.api_with(
            json!({ "max_rows": 100, "pool": 1 }),
            json!({
                "default": list(json!({})),
                "more": list(json!({ "max_rows": 101 })),
                "small": list(json!({ "max_rows": 101, "max_bytes": 1000 })),
            }),
        );
        let (status, reason) = api.error("default.get", json!({}));
        assert!(status == 500 && reason.contains("more than 100 rows"), "{reason}");
        let (status, reason) = api.error("small.get", json!({}));
        assert!(status == 500 && reason.contains("more than 1000 bytes"), "{reason}");
        assert_eq!(api.outputs("more.get", json!({})).as_array().unwrap().len(), 101);
    });
}

#[test]
fn a_call_that_waits_too_long_for_a_connection_is_unavailable() {
    for_each_database(|database| {
        let slow = crate::interrupted::slow(database);
        let api = database.api_with(
            json!({ "pool": 1, "pool_timeout": 2, "timeout": 30 }),
            json!({
                "slow": method(json!({}), json!({ "*": of_type("any") }), json!({ "sql": slow, "rows": "one", "missing": false })),
                "one": method(json!({}), json!({ "*": of_type("int") }), json!({ "sql": "select 1 as n", "rows": "one" })),
            }),
        );
        api.outputs("one.get", json!({}));
        let running = api.runtime.spawn(api.started_call("slow.get", json!({})));
        // The slow call may not have its connection yet.
        let (status, reason) = loop {
            let response = api.call("one.get", json!({}));
            if let Some(error) = response.error() {
                break (response.status(), error.log().unwrap_or_default().to_owned());
            }
        };
        assert!(status == 503 && reason.contains("no connection"), "{reason}");
        running.abort();
    });
}

/// Returns an API whose notes are found by a text in their title.
fn searching(database: &TestDatabase, settings: serde_json::Value, handler: serde_json::Value) -> TestApi {
    let text = || json!({ "GET@text": of_type("string") });
    database.api_with(
        settings,
        json!({
            "add": method(text(), json!({}), json!({ "sql": "insert into note (title) values (:text)" })),
            "find": method(text(), json!({ "n": of_type("int") }), handler),
            "one": method(json!({}), json!({ "*": of_type("int") }), json!({ "sql": "select 1 as n", "rows": "one" })),
        }),
    )
}

#[test]
fn a_text_in_a_pattern_of_sqlite_has_a_limit_and_other_texts_have_none() {
    let find = |condition: &str| format!("select count(*) as n from note where {condition}");
    for (condition, is_pattern) in [
        ("title like :text", true),
        ("title like '%,)' || lower(:text) || '%' escape '!'", true),
        ("title not like (case when 1 then :text else 'a' end)", true),
        ("like(:text, title)", true),
        ("title GLOB :text", true),
        ("instr(title, :text) > 0", true),
        ("(title like 'a%') = :text", false),
        ("title like 'a' and title = :text", false),
        ("title in (title like 'a', :text)", false),
        ("case when title like 'a' then :text else 1 end", false),
        ("title = :text or 'like' = :text /* like */", false),
    ] {
        let handler = json!({ "sql": find(condition), "missing": false, "max_pattern": 20 });
        let database = TestDatabase::sqlite();
        let api = searching(&database, json!({ "max_pattern": 10 }), handler);
        let statuses = [20, 21].map(|len| api.call("find.get", json!({ "text": "a".repeat(len) })).status());
        assert_eq!(statuses, [200, if is_pattern { 400 } else { 200 }], "{condition}");
    }
    let database = TestDatabase::sqlite();
    let api = searching(&database, json!({}), json!({ "sql": find("title like :text"), "missing": false }));
    let response = api.call("find.get", json!({ "text": "a".repeat(257) }));
    let error = &response.error().unwrap().parameter_errors()[0];
    assert_eq!((error.parameter.as_str(), &*error.expected), ("text", "a text to search for of at most 256 bytes"));
}

#[test]
fn a_statement_that_sqlite_cannot_stop_keeps_its_connection_until_it_ends() {
    let database = TestDatabase::sqlite();
    // Comparing a long text with a long pattern is a single step of SQLite.
    let sql = format!("select count(*) as n from note where title like '%{}b'", "a".repeat(2_000));
    let handler = json!({ "sql": sql, "missing": false, "unused": ["text"] });
    let settings = json!({ "pool": 1, "timeout": 0.5 });
    let api = searching(&database, settings, handler);
    for (len, expected) in [(1, 200), (200_000, 504)] {
        api.call("add.get", json!({ "text": "a".repeat(len) }));
        assert_eq!(api.call("find.get", json!({ "text": "" })).status(), expected);
    }
    assert_eq!(api.call("one.get", json!({})).status(), 504);
    wait_until(WAIT, || api.call("one.get", json!({})).status() == 200);
}

#[test]
fn downloads_leave_half_of_the_connections_to_calls() {
    for_each_database(|database| {
        let mut all = method(json!({}), json!({}), json!({ "sql": numbers(database, 1_000_000) }));
        all["GET"]["options"] = json!({ "download": true });
        let one = method(json!({}), json!({ "*": of_type("int") }), json!({ "sql": "select 1 as n", "rows": "one" }));
        let settings = json!({ "pool": 4, "pool_timeout": 2, "timeout": 20 });
        let api = database.api_with(settings, json!({ "all": all, "one": one }));
        // Clients that do not read: the database waits for them.
        let slow: Vec<_> = (0..2).map(|_| api.call("all.get", json!({})).into_download().unwrap()).collect();
        let (status, reason) = api.error("all.get", json!({}));
        assert!(status == 503 && reason.contains("no connection"), "{reason}");
        assert_eq!(api.outputs("one.get", json!({})), json!(1));
        drop(slow);
        assert!(api.call("all.get", json!({})).into_download().is_some());
    });
}
