//! Errors that prevent the start of the API.

use serde_json::json;

use crate::support::{Api, PROTOCOL, act, echo_worker, worker};

/// Returns the message of the error with which an API does not start.
#[track_caller]
fn start_error(api: &Api) -> String {
    api.engine().start().unwrap_err().to_string()
}

#[test]
fn workers_that_do_not_start_are_errors() {
    let program = "import sys\nprint('loading', file=sys.stderr)\nsys.exit('there is no module `notes`')\n";
    let api = Api::new(program, json!({}));
    let error = start_error(&api);
    assert!(error.contains("the worker `python3 handlers.py` does not start: exit status: 1"), "{error}");
    assert!(error.contains("its last line on standard error: there is no module `notes`"), "{error}");
    assert!(error.contains("app.json:1:"), "the error shows the command in the definition: {error}");

    let api = Api::with_command(&json!(["no-such-program-of-rulebook"]), "", json!({}));
    assert!(start_error(&api).contains("No such file or directory"));

    let api = Api::new("", json!({}));
    let missing = api.folder.path().join("missing");
    let api = Api::new("", json!({})).environment("A", &missing);
    assert!(start_error(&api).contains("does not start: exit status: 0"));
}

/// What programs print to standard error before they end, and the error that is reported.
const PRINTED_ERRORS: [(&str, &str); 12] = [
    // Python
    (
        "Traceback (most recent call last):\n  File \"/a/h.py\", line 1, in <module>\n    import nothing\n\
         ModuleNotFoundError: No module named 'nothing'\n",
        "its error: ModuleNotFoundError: No module named 'nothing' (/a/h.py:1)",
    ),
    (
        "  File \"/a/h.py\", line 1\n    x = (\n        ^\nSyntaxError: '(' was never closed\n",
        "its error: SyntaxError: '(' was never closed (/a/h.py:1)",
    ),
    (
        "Traceback (most recent call last):\n  File \"/a/h.py\", line 3, in <module>\n    1/0\n    ~^~\n\
         ZeroDivisionError: division by zero\n\n\
         The above exception was the direct cause of the following exception:\n\n\
         Traceback (most recent call last):\n  File \"/a/h.py\", line 5, in <module>\n    raise Missing('x\\ny')\n\
         notes.Missing: x\ny\n",
        "its error: notes.Missing: x (/a/h.py:5)",
    ),
    // Node
    (
        "node:internal/modules/cjs/loader:1210\n  throw err;\n  ^\n\nError: Cannot find module 'x'\nRequire stack:\n\
         - /a/h.cjs\n    at Module._load (node:internal/modules/cjs/loader:1038:27)\n\
         \x20   at Object.<anonymous> (/a/h.cjs:1:7) {\n  code: 'MODULE_NOT_FOUND'\n}\n\nNode.js v20.20.2\n",
        "its error: Error: Cannot find module 'x' (/a/h.cjs:1)",
    ),
    (
        "file:///a/h.mjs:2\nconst b = {;\n           ^\n\nSyntaxError: Unexpected token ';'\n\
         \x20   at compileSourceTextModule (node:internal/modules/esm/utils:346:16)\n\nNode.js v20.20.2\n",
        "its error: SyntaxError: Unexpected token ';' (/a/h.mjs:2)",
    ),
    (
        "file:///a/h.mjs:3\n throw new Missing('x');\n       ^\n\nMissing: x\nsecond line\n\
         \x20   at f (file:///a/h.mjs:3:8)\n    at async file:///a/h.mjs:9:1 {\n  [cause]: Error: y\n}\n\n\
         Node.js v20.20.2\n",
        "its error: Missing: x (/a/h.mjs:3)",
    ),
    (
        "\nnode:internal/modules/run_main:123\n    triggerUncaughtException(\n    ^\nno database\n\
         (Use `node --trace-uncaught ...` to show where the exception was thrown)\n\nNode.js v20.20.2\n",
        "its error: no database",
    ),
    // PHP
    (
        "PHP Warning:  require(no.php): Failed to open stream in /a/h.php on line 1\n\
         PHP Fatal error:  Uncaught Error: Failed opening required 'no.php' in /a/h.php:1\nStack trace:\n#0 {main}\n\
         \x20 thrown in /a/h.php on line 1\n",
        "its error: PHP Fatal error:  Uncaught Error: Failed opening required 'no.php' in /a/h.php:1",
    ),
    (
        "PHP Fatal error:  Uncaught Exception: inner in /a/h.php:1\nStack trace:\n#0 {main}\n\n\
         Next LogicException: outer in /a/h.php:2\nStack trace:\n#0 {main}\n  thrown in /a/h.php on line 2\n",
        "its error: Next LogicException: outer in /a/h.php:2",
    ),
    (
        "PHP Parse error:  syntax error, unexpected token \";\" in /a/h.php on line 2\n",
        "its error: PHP Parse error:  syntax error, unexpected token \";\" in /a/h.php on line 2",
    ),
    // Others
    (
        "Exception in thread \"main\" java.lang.IllegalStateException: x\n\tat Main.main(Main.java:3)\n",
        "its error: Exception in thread \"main\" java.lang.IllegalStateException: x",
    ),
    ("loading: 5 files\n  of a folder\nthere is no file\n", "its last line on standard error: there is no file"),
];

#[test]
fn the_line_that_names_the_error_is_reported() {
    for (printed, expected) in PRINTED_ERRORS {
        let program = format!("import sys\nsys.stderr.write({})\nsys.exit(1)\n", json!(printed));
        let error = start_error(&Api::new(&program, json!({})));
        assert!(error.contains(&format!("does not start: exit status: 1; {expected}\n")), "{expected}: {error}");
    }
}

#[test]
#[ignore = "tests/external/sdk runs it, because it needs Node"]
fn errors_of_node_are_reported() {
    for (program, expected, line) in [
        ("const a = 1;\nconst b = {;\n", "its error: SyntaxError: Unexpected token ';'", Some(2)),
        ("import 'nothing';\n", "its error: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'nothing'", None),
        ("\nrequire('nothing');\n", "its error: ReferenceError: require is not defined in ES module", Some(2)),
        ("const f = () => {\n  throw new TypeError('bad');\n};\nf();\n", "its error: TypeError: bad", Some(2)),
        ("throw 'no database';\n", "its error: no database", None),
    ] {
        let api = Api::with_command(&json!(["node", "handlers.mjs"]), "", json!({}));
        let path = api.folder.path().join("handlers.mjs");
        std::fs::write(&path, program).unwrap();
        let error = start_error(&api);
        let place = line.map(|line| format!("({}:{line})", path.canonicalize().unwrap().display()));
        assert!(error.contains(expected), "{program}: {error}");
        assert!(error.contains(&place.unwrap_or_default()), "{program}: {error}");
    }
}

#[tokio::test]
#[ignore = "tests/external/sdk runs it, because it needs PHP"]
async fn types_of_parameters_in_php_accept_the_arguments() {
    let command = json!(["php", "handlers.php"]);
    for (parameter, expected) in [
        ("int $what = 0", "has the type `int` for its parameter `what`"),
        ("int|array $what = 0", "has the type `array|int` for its parameter `what`"),
        ("object $what = new \\stdClass()", "has the type `object` for its parameter `what`"),
        ("?int $what", ""),
        ("int|\\Countable $what = 0", ""),
        ("mixed $what, int $value = 0", ""),
        ("string $what = '', $value = 1", ""),
    ] {
        let api = Api::with_command(&command, "", json!({}));
        let [(_, sdk), _] = rulebook_process::sdk::PHP else { panic!("the library has two files") };
        std::fs::write(api.folder.path().join("rulebook.php"), sdk).unwrap();
        let others =
            ["other.get", "upload.post", "file.get"].map(|id| format!("Rulebook\\handler('{id}', fn () => 1);"));
        let act = format!("Rulebook\\handler('act.get', fn ({parameter}) => ['value' => 1]);");
        let program = format!("<?php require 'rulebook.php'; {} {act} Rulebook\\serve();", others.concat());
        std::fs::write(api.folder.path().join("handlers.php"), program).unwrap();
        let engine = api.engine();
        let error = engine.start().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{parameter}: {error}");
        assert!(error.contains(expected), "{parameter}: {error}");
    }
}

#[tokio::test]
async fn calls_fail_if_the_api_does_not_start() {
    let api = Api::new("raise SystemExit(1)", json!({}));
    let response = act(&api.engine(), "echo", 1).await;
    assert_eq!(response.status(), 503);
    assert!(!response.serialize().contains("python3"));
}

#[test]
fn a_worker_must_be_ready_in_time() {
    for program in ["time.sleep(1000)", "while True: write('noise\\n')", "while True: sys.stderr.write('noise\\n')"] {
        let api = Api::new(&format!("{PROTOCOL}\n{program}"), json!({ "start_timeout": 1 }));
        let error = start_error(&api);
        assert!(error.contains("does not start: it has not sent `ready` within 1s"), "{error}");
        assert!(api.running_workers().is_empty(), "the worker was killed");
    }
}

#[test]
fn workers_need_a_handler_for_each_method() {
    let methods = "send(method='ready', params={'methods': ['act.get', 'file.get', 'odd.get']})";
    let api = Api::new(&worker("").replace("send(method='ready')", methods), json!({}));
    let error = start_error(&api);
    for (method, position) in [("other.get", "act.json"), ("upload.post", "act.json")] {
        let expected = format!("the worker `python3 handlers.py` has no handler for the method `{method}`");
        assert!(error.contains(&expected) && error.contains(position), "{error}");
    }
    assert!(!error.contains("method `act.get`") && !error.contains("method `file.get`"), "{error}");
    assert!(error.contains("the handlers of the program are `act.get`, `file.get`, `odd.get`"), "{error}");
    assert!(api.running_workers().is_empty());
}

#[test]
fn functions_must_fit_their_methods() {
    // What the worker says about the function of `act.get`, and the parts of the error; none if the API starts.
    let cases: [(&str, &[&str]); 12] = [
        ("{}", &[]),
        ("{'function': 'act', 'location': 'a.py:3'}", &[]),
        ("{'parameters': ['what', 'value'], 'required': []}", &[]),
        ("{'parameters': ['value'], 'required': ['other']}", &[]),
        (
            "{'function': 'act', 'location': 'a.py:3', 'parameters': ['waht']}",
            &[
                "the function `act` (a.py:3) has a parameter `waht`, which is not a parameter of the method `act.get`",
                "did you mean `what`? the parameters of the method are `what`, `value`",
                "act.json:1:",
            ],
        ),
        ("{'location': 'a.py:3', 'parameters': ['zzz']}", &["the handler (a.py:3) has a parameter `zzz`"]),
        ("{'parameters': ['\\u001b']}", &["the handler has a parameter `\\u{1b}`"]),
        (
            "{'function': 'act', 'parameters': ['what', 'value'], 'required': ['value']}",
            &["the function `act` does not accept null for its parameter `value`, which is optional", "act.json:1:"],
        ),
        (
            "{'function': 'act', 'parameters': ['what'], 'annotations': {'what': {'type': 'int', 'accepts': ['number']}}}",
            &[
                "the function `act` has the type `int` for its parameter `what`, which accepts no value of the \
                 type `string` (`string` in JSON)",
                "write `str` in Python, `string` in PHP, or change the type in the definition",
                "act.json:1:",
            ],
        ),
        ("{'annotations': {'what': {'type': 'int?', 'accepts': ['number', 'null']}}}", &[]),
        ("{'annotations': {'value': {'type': 'T', 'accepts': ['number']}, 'a': {'type': 'T', 'accepts': []}}}", &[]),
        ("{'parameters': ['a', 'value'], 'required': ['value']}", &["a parameter `a`", "its parameter `value`"]),
    ];
    for (function, expected) in cases {
        let methods = format!("{{'act.get': {function}, 'other.get': {{}}, 'upload.post': {{}}, 'file.get': {{}}}}");
        let ready = format!("send(method='ready', params={{'methods': {methods}}})");
        let api = Api::new(&worker("").replace("send(method='ready')", &ready), json!({}));
        let error = api.engine().start().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{function}: {error}");
        assert!(expected.iter().all(|text| error.contains(text)), "{function}: {error}");
    }
}

#[test]
fn an_api_starts_and_ends_without_calls() {
    let api = Api::new(&echo_worker(), json!({ "workers": 2 }));
    let engine = api.engine();
    engine.start().unwrap();
    assert!(!api.workers().is_empty());
    drop(engine);
    assert!(api.running_workers().is_empty());
}
