//! The errors in definitions.

use serde_json::{Value as Json, json};

use super::{note_method, rulebook};

/// Returns the diagnostics for a method with this handler, and these settings of all handlers.
fn diagnostics(handler: &Json, shared: &Json) -> Vec<(String, String, String)> {
    let mut method = note_method(handler);
    method["in"] = json!({
        "{id}": { "info": "The id", "type": "id" },
        "GET@tags": { "info": "Tags", "type": "array<string>", "name": "tags" },
        "GET@maybe": { "info": "Text", "type": "?string", "name": "maybe" }
    });
    let services = json!({ "note/{id}": { "GET": method } });
    let Err(report) = rulebook(&services, shared).build() else { return Vec::new() };
    let sources = &report.sources;
    let part = |span: rulebook::model::Span| {
        let text = sources.get(span.file).map(|source| source.text.as_str()).unwrap_or_default();
        text[span.start as usize..span.end as usize].to_owned()
    };
    let all = report.diagnostics.iter();
    all.map(|found| (part(found.span), found.message.clone(), found.help.clone().unwrap_or_default())).collect()
}

#[track_caller]
fn check(handler: &Json, part: &str, message: &str, help: &str) {
    let found = diagnostics(handler, &json!({}));
    let [(found_part, found_message, found_help)] = &found[..] else { panic!("{handler}: {found:?}") };
    assert_eq!(found_part, part, "{handler}");
    assert!(found_message.contains(message), "{handler}: {found_message}");
    assert!(found_help.contains(help), "{handler}: {found_help}");
}

#[test]
fn valid_addresses_have_no_errors() {
    for address in [
        "http://127.0.0.1:9000/notes/{id}",
        "http://notes",
        "http://notes.example:80/a-b/c%20d/{id}.json?q={id}&a=/?",
        "http://[::1]:9000/",
        "https://notes.example/notes/{id}",
        "https://127.0.0.1:9443/",
        "https://[::1]/",
        "unix:/run/app.sock:/notes/{id}",
        "unix:/run/app.sock",
    ] {
        assert_eq!(diagnostics(&json!({ "http": address }), &json!({})), [], "{address}");
    }
    let handler = json!({
        "http": "http://a/", "method": "POST", "timeout": 0.5, "connect_timeout": 2, "retries": 3,
        "max_response": "2MB", "headers": { "X-A": "b" }, "forward": ["X-B"], "identity": true, "health": "/up",
        "errors": { "404": "no_note" }
    });
    assert_eq!(diagnostics(&handler, &json!({ "connections": 10, "idle_timeout": 3, "max_head": "16KB" })), []);
    assert_eq!(diagnostics(&json!({ "http": "/notes/{id}" }), &json!({ "base": "http://a/api" })), []);
}

#[test]
fn errors_in_addresses_name_the_part_that_is_wrong() {
    let check = |address: &str, part: &str, message: &str, help: &str| {
        check(&json!({ "http": address }), part, message, help);
    };
    check("https://", "https://", "not a host", "https://notes");
    check("https://a..b/", "a..b", "not a host", "https://notes");
    check("https://a:0/", ":0", "not a port", "65535");
    check("https://{id}/", "{id}", "another server", "path");
    check("ftp://a/", "ftp://a/", "http://", "unix:");
    check("/notes", "/notes", "no host", "base");
    check("http://", "http://", "not a host", "http://127.0.0.1");
    check("http://a b/", "a b", "not a host", "");
    check("http://a:0/", ":0", "not a port", "65535");
    check("http://a:99999/", ":99999", "not a port", "65535");
    check("http://a:x/", ":x", "not a port", "65535");
    check("http://user:pass@a/", "user:pass@", "password", "headers");
    check("http://{id}/", "{id}", "another server", "path");
    check("http://a:{id}/", "{id}", "another server", "path");
    check("unix:/run/{id}.sock:/", "{id}", "another server", "path");
    check("unix:app.sock:/", "unix:app.sock:/", "not absolute", "unix:/run");
    check("http://a/{idd}", "{idd}", "no parameter `idd`", "did you mean `{id}`?");
    check("http://a/?q={other}", "{other}", "no parameter `other`", "`id`");
    check("http://a/{tags}", "{tags}", "not a single value", "text");
    check("http://a/{maybe}", "{maybe}", "can be missing", "default");
    check("http://a/{id", "{id", "no `}`", "%7B");
    check("http://a/x}", "}", "cannot contain", "percent");
    check("http://a/a b", " ", "cannot contain", "%20");
    check("http://a/%zz", "%", "cannot contain", "%20");
    check("http://a/é", "é", "cannot contain", "percent");
    check("http://a/b/../c", "..", "`..`", "leads");
    check("http://a/b/%2e%2E/c", "%2e%2E", "`..`", "leads");
    check("http://a/b/..;x/c", "..;x", "`..`", "leads");
    check("http://a/b#c", "#c", "fragment", "remove");
}

#[test]
fn errors_in_settings_name_the_part_that_is_wrong() {
    let with = |name: &str, value: Json| json!({ "http": "http://a/", name: value });
    check(&json!({ "http": 5 }), "5", "must be an address", "http://");
    check(&with("methd", json!("GET")), "methd", "no setting `methd`", "");
    check(&with("method", json!("GRT")), "GRT", "`GET`, `POST`, `PUT`, `PATCH` or `DELETE`", "did you mean `GET`?");
    check(&with("timeout", json!(0)), "0", "a number of seconds from 0.001 to 86400", "");
    check(&with("timeout", json!("5s")), "5s", "seconds", "without a unit");
    check(&with("connect_timeout", json!(90_000)), "90000", "seconds", "");
    check(&with("retries", json!(11)), "11", "from 0 to 10", "");
    check(&with("max_response", json!("5XB")), "5XB", "a size", "the units are");
    check(&with("identity", json!("yes")), "yes", "true or false", "without quotes");
    check(&with("raw", json!(1)), "1", "true or false", "");
    check(&with("health", json!("up")), "up", "begins with `/`", "/healthz");
    check(&json!({ "http": "https://a/", "ca": 5 }), "5", "must be the path of a file", "PEM");
    check(&with("ca", json!("ca.pem")), "ca.pem", "no effect", "https://");
    check(&with("headers", json!([])), "[]", "must be an object", "");
    check(&with("headers", json!({ "a b": "c" })), "a b", "not a name", "");
    check(&with("headers", json!({ "Connection": "close" })), "Connection", "set by the server", "remove");
    check(&with("headers", json!({ "X-Request-Id": "a" })), "X-Request-Id", "set by the server", "remove");
    check(
        &with("headers", json!({ "X_Rulebook.Identity": "a" })),
        "X_Rulebook.Identity",
        "set by the server",
        "remove",
    );
    check(&with("headers", json!({ "X-A": 5 })), "5", "not valid", "line breaks");
    check(&with("headers", json!({ "X-A": "a", "x-a": "b" })), "x-a", "twice", "remove");
    check(&with("headers", json!({ "X-A": "${NO_SUCH_VARIABLE}" })), "${NO_SUCH_VARIABLE}", "is not set", ":-");
    check(&with("headers", json!({ "X-A": "${A" })), "${A", "environment variable and `}`", "${NAME}");
    check(&with("forward", json!("X-A")), "X-A", "must be an array of strings", "");
    check(&with("forward", json!([5])), "5", "each item of `forward` must be a string", "");
    check(&with("forward", json!(["Host"])), "Host", "never passed on", "headers");
    check(&with("forward", json!(["Content_Type"])), "Content_Type", "never passed on", "headers");
    check(&with("forward", json!(["Proxy"])), "Proxy", "never passed on", "headers");
    check(&with("forward", json!(["Transfer-Encoding"])), "Transfer-Encoding", "set by the server", "");
    check(&with("forward", json!(["X_Rulebook_Identity"])), "X_Rulebook_Identity", "set by the server", "");
    check(&with("errors", json!({ "200": "no_note" })), "200", "not the status of an error", "300 to 599");
    check(&with("errors", json!({ "404": "no_nte" })), "no_nte", "no error `no_nte`", "did you mean `no_note`?");
    let raw = json!({ "http": "http://a", "raw": true, "errors": {} });
    check(&raw, "{}", "as they are", "remove `errors`");
}

#[test]
fn line_breaks_in_header_values_are_errors() {
    let handler = json!({ "http": "http://a/", "headers": { "X-A": "a\r\nX-Evil: 1" } });
    let found = diagnostics(&handler, &json!({}));
    assert!(matches!(&found[..], [(_, message, _)] if message.contains("not valid")), "{found:?}");
}

#[test]
fn errors_in_the_settings_of_all_handlers_are_reported_once() {
    let method = note_method(&json!({ "http": "/a" }));
    let services = json!({ "a": { "GET": method, "POST": method }, "b": { "GET": method } });
    for (shared, message) in [
        (json!({ "base": "ftp://a" }), "does not begin with `http://`, `https://` or `unix:`"),
        (json!({ "base": "https://a", "ca": 5 }), "must be the path of a file"),
        (json!({ "base": "http://a/{id}" }), "neither arguments nor a query"),
        (json!({ "base": "http://a", "connections": 0 }), "from 1 to 10000"),
        (json!({ "base": "http://a", "conections": 5 }), "no setting `conections`"),
        (json!({ "base": "http://a", "timeout": -1 }), "seconds"),
        (json!({ "base": "http://a", "max_head": 5 }), "a size"),
    ] {
        let report = rulebook(&services, &shared).build().map(|_| ()).unwrap_err();
        let messages: Vec<_> = report.diagnostics.iter().map(|found| found.message.clone()).collect();
        assert!(matches!(&messages[..], [found] if found.contains(message)), "{shared}: {messages:?}");
    }
}

#[test]
fn a_get_request_cannot_have_a_file_or_a_whole_body() {
    for parameter in
        [json!({ "picture": { "info": "A file", "type": "file" } }), json!({ "*": { "info": "All", "type": "any" } })]
    {
        let method = json!({
            "info": "Stores", "in": parameter, "handler": { "http": "http://a/", "method": "GET" }
        });
        let report = rulebook(&json!({ "a": { "POST": method } }), &json!({})).build().map(|_| ()).unwrap_err();
        assert!(report.to_string().contains("a GET request has no body"), "{report}");
    }
}
