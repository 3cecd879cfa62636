//! Handlers in Python with the SDK: the parameters of functions, and the types of arguments and outputs.

use std::fs;

use rulebook::{Engine, Rulebook};
use rulebook_process::ProcessKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::captured_log;
use crate::support::python_library;

/// An API with the method `order.place`, whose handler is this function with its decorator.
fn rulebook(folder: &TempDir, function: &str) -> Rulebook {
    let imports = "from datetime import date, datetime, time\nfrom decimal import Decimal\nfrom typing import Optional\n\
                   from uuid import UUID\nfrom rulebook import handler, serve\n";
    let program = format!("{imports}\n@handler('order.place')\n{function}\nserve()\n");
    fs::write(folder.path().join("handlers.py"), program).unwrap();
    let value = |r#type: &str| json!({ "info": "A value", "type": r#type });
    let process = json!({
        "workers": 1, "directory": folder.path(), "environment": { "PYTHONPATH": python_library() }
    });
    let app = json!({
        "envelope": "plain",
        "timezone": "Europe/Paris",
        "handlers": { "default": { "process": ["python3", "handlers.py"] }, "process": process }
    });
    let timestamp = json!({ "info": "A value", "type": "?datetime", "format": "timestamp" });
    let order = json!({ "/": { "order": { "POST": {
        "id": "order.place",
        "info": "Places an order",
        "in": {
            "lines": value("?array<?string>"), "price": value("?string"), "amount": value("?float"),
            "at": value("?datetime"), "seconds": timestamp, "day": value("?date"), "hour": value("?time"),
            "key": value("?uuid"), "count": { "info": "A value", "type": "int", "default": 1 }
        },
        "out": {
            "value": value("any"), "text": value("?string"), "at": value("?datetime"), "day": value("?date"),
            "hour": value("?time"), "key": value("?uuid")
        }
    } } } });
    let files =
        vec![("app.json".into(), app.to_string().into_bytes()), ("o.json".into(), order.to_string().into_bytes())];
    Rulebook::read(files).data_folder(folder.path().join("data")).handler_kind(ProcessKind::new())
}

fn engine(folder: &TempDir, function: &str) -> Engine {
    rulebook(folder, function).build().unwrap()
}

#[test]
fn functions_that_differ_from_their_methods_are_refused_at_start() {
    for (function, expected) in [
        (
            "def place(linez): pass",
            "the function `place` (handlers.py:7) has a parameter `linez`, which is not a parameter of the method \
             `order.place`",
        ),
        ("def place(*, count, pricy=None, **more): pass", "has a parameter `pricy`"),
        ("async def place(call, price: str): pass", "does not accept null for its parameter `price`"),
        ("def place(price: Decimal, _now=1): pass", "does not accept null for its parameter `price`"),
        ("def place(price: 'Decimall'): pass", "name 'Decimall' is not defined"),
        ("def place(price, /): pass", "place (handlers.py:7): a handler gets its arguments by name"),
        (
            "def place(day: Optional[int] = 0, count: 'str' = ''): pass",
            "the function `place` (handlers.py:7) has the type `str` for its parameter `count`, which accepts no \
             value of the type `int` (`number` in JSON)",
        ),
        ("def place(count: str): pass", "write `int` or `float`, or change the type"),
        ("def place(day: int = 0): pass", "write `date` or `str` in Python, `string` in PHP, or change the type"),
        ("def place(seconds: str = ''): pass", "has the type `str` for its parameter `seconds`"),
        ("def place(seconds: time = None): pass", "has the type `datetime.time` for its parameter `seconds`"),
        ("def place(lines: dict[str, str] = {}): pass", "has the type `dict[str, str]` for its parameter `lines`"),
        ("def place(key: 'int | float' = 0): pass", "has the type `int | float` for its parameter `key`"),
        ("def place(amount: 'list[int] | str' = ''): pass", "its parameter `amount`"),
        ("def place(day: object = 0, price: 'int | object' = 0, at: 'handler' = 0): pass", ""),
        ("def place(day: type(handler) = None): pass", ""),
        ("def place(price: date = None, amount: int = 0, count: bool = 0, at: date = None): pass", ""),
        ("def place(count: int, price: str = '', at: Optional[datetime] = None, _now=1) -> 'Unknown': pass", ""),
        ("def place(call, price: Optional[str], at: object, **more): pass", ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = engine(&folder, function).start().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{function}: {error}");
        assert!(error.contains(expected), "{function}: {error}");
    }
}

#[tokio::test]
async fn arguments_have_the_types_of_their_annotations() {
    let function = r#"
async def place(
    lines: Optional[list[Optional[Decimal]]] = None, price: Optional[Decimal] = None, at: Optional[datetime] = None,
    day: Optional[date] = None, hour: Optional[time] = None, key: Optional[UUID] = None,
    amount: Optional[Decimal] = None, seconds: Optional[date] = None,
):
    values = [lines, price, at, day, hour, key, amount, seconds]
    return {"value": repr([value for value in values if value is not None])}
"#
    .trim();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder, function);
    for (name, argument, expected) in [
        ("lines", json!(["1.50", null]), "[Decimal('1.50'), None]"),
        ("price", json!("-0.10000000000000000000000000001"), "Decimal('-0.10000000000000000000000000001')"),
        ("price", json!("1e3"), "Decimal('1E+3')"),
        ("amount", json!(0.1), "Decimal('0.1')"),
        ("amount", json!(1e300), "Decimal('1E+300')"),
        ("amount", json!(7), "Decimal('7')"),
        (
            "at",
            json!("2026-07-01t10:20:30.1234567-02:30"),
            "datetime.datetime(2026, 7, 1, 10, 20, 30, 123456, \
             tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=77400)))",
        ),
        ("at", json!("2016-12-31T23:59:60Z"), "datetime.datetime(2017, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)"),
        (
            "at",
            json!("2026-07-01 10:20:30"),
            "datetime.datetime(2026, 7, 1, 10, 20, 30, tzinfo=zoneinfo.ZoneInfo(key='Europe/Paris'))",
        ),
        (
            "at",
            json!("2026-07-01"),
            "datetime.datetime(2026, 7, 1, 0, 0, tzinfo=zoneinfo.ZoneInfo(key='Europe/Paris'))",
        ),
        ("seconds", json!("2026-07-01"), "datetime.date(2026, 7, 1)"),
        ("day", json!("2026-07-01"), "datetime.date(2026, 7, 1)"),
        ("hour", json!("10:20"), "datetime.time(10, 20)"),
        ("key", json!("0e984725-c51c-4bf4-9960-e1c80e27aba0"), "UUID('0e984725-c51c-4bf4-9960-e1c80e27aba0')"),
    ] {
        let response = engine.call("order.place").arg(name, argument.clone()).send().await;
        assert_eq!(response.get("value"), Some(&json!(format!("[{expected}]"))), "{argument}");
    }
    for (name, argument, expected) in [
        ("price", json!("1_000"), "price in the body: expected a decimal number"),
        ("price", json!("NaN"), "price in the body: expected a decimal number"),
        ("price", json!("1e1000000"), "price in the body: expected a decimal number"),
        ("lines", json!(["1", "one"]), "lines[1] in the body: expected a decimal number"),
        ("at", json!("0000-01-01"), "at in the body: expected a date and time from the year 1"),
        ("day", json!("0000-01-01"), "day in the body: expected a date from the year 1"),
    ] {
        let response = engine.call("order.place").arg(name, argument.clone()).send().await;
        assert_eq!(response.status(), 400, "{argument}");
        assert_eq!(response.error().unwrap().to_string(), expected);
    }
}

#[tokio::test]
async fn outputs_have_the_notation_of_their_types() {
    for (outputs, expected) in [
        ("{'value': 1, 'text': Decimal('12.50')}", json!({ "value": 1, "text": "12.50" })),
        ("{'value': [Decimal('1E+3'), Decimal('1E-7')]}", json!({ "value": ["1000", "0.0000001"] })),
        ("{'value': Decimal('1E+999999')}", json!({ "value": "1E+999999" })),
        ("{'value': 1, 'at': datetime(2026, 7, 1, 10, 20, 30, 5)}", json!({ "value": 1, "at": "2026-07-01 10:20:30" })),
        (
            "{'value': 1, 'at': datetime(2026, 7, 1, 10, 20, 30, tzinfo=__import__('datetime').timezone.utc)}",
            json!({ "value": 1, "at": "2026-07-01T10:20:30+00:00" }),
        ),
        (
            "{'value': 1, 'day': date(2026, 7, 1), 'hour': time(10, 20, 30, 5)}",
            json!({ "value": 1, "day": "2026-07-01", "hour": "10:20:30" }),
        ),
        ("{'value': 1, 'key': UUID(int=1)}", json!({ "value": 1, "key": "00000000-0000-0000-0000-000000000001" })),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(&folder, &format!("def place():\n    return {outputs}"));
        let Json::Object(expected) = expected else { unreachable!("outputs are an object") };
        let sent = engine.call("order.place").send().await.outputs().unwrap();
        for (name, value) in expected {
            assert_eq!(sent[&name], value, "{outputs}");
        }
    }
}

#[test]
fn a_traceback_is_one_record() {
    captured_log::begin();
    let folder = tempfile::tempdir().unwrap();
    let function = "def place():\n    print('printed')\n    raise ValueError('at\\nlast')";
    let client = Client::new(rulebook(&folder, function)).unwrap();
    let response = client.call("order.place").header("x-request-id", "traced-1").send();
    assert_eq!(response.status(), 500);
    assert!(!response.text().contains("ValueError") && !response.text().contains("handlers.py"), "{response:?}");
    let records = captured_log::levels("traced-1");
    let failed: Vec<_> = records.iter().filter(|(.., level)| *level == log::Level::Error).collect();
    let [(message, ..)] = &failed[..] else { panic!("{records:?}") };
    let lines: Vec<_> = message.lines().collect();
    assert!(lines[0].ends_with(r"order.place: ValueError: at\nlast"), "{message}");
    assert_eq!(lines[1], "Traceback (most recent call last):");
    assert!(lines[2].ends_with("handlers.py\", line 10, in place"), "{message}");
    assert_eq!(&lines[3..], ["    raise ValueError('at\\nlast')", "ValueError: at", "last"]);
    assert!(records.iter().any(|(text, _, level)| text.ends_with("printed") && *level == log::Level::Info));
    assert_eq!(captured_log::levels("ValueError: at").len(), 1, "nothing is on standard error");
}
