//! Values of the type `datetime` are stored and read in UTC.

use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};

/// Texts of a parameter of the type `datetime`, and what is read. The time zone of the API is `Europe/Paris`.
const TIMES: [(&str, &str); 7] = [
    ("2026-05-17T14:30:00Z", "2026-05-17T14:30:00Z"),
    ("2026-05-17T14:30:00+02:00", "2026-05-17T12:30:00Z"),
    ("2026-05-17t14:30:00.25-00:30", "2026-05-17T15:00:00.25Z"),
    ("2026-05-17 14:30:00", "2026-05-17T12:30:00Z"),
    ("2026-05-17", "2026-05-16T22:00:00Z"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("2026-05-17T14:30:00.123456789Z", "2026-05-17T14:30:00.123456Z"),
];

/// The columns with and without a zone of each kind of database, and one with texts.
const COLUMNS: [&str; 3] = ["zoned", "plain", "words"];

fn api(database: &TestDatabase) -> TestApi {
    let types = database.pick([["text", "text"], ["timestamptz", "timestamp"], ["timestamp(6) null", "datetime(6)"]]);
    let table = format!("create table event (zoned {}, plain {}, words varchar(40))", types[0], types[1]);
    let url = database.pick([
        database.url.clone(),
        database.url.clone(),
        // The zone of the session is UTC, whatever the address says.
        format!("{}&timezone=%2B05:00", database.url),
    ]);
    let app = json!({
        "timezone": "Europe/Paris",
        "handlers": { "sql": { "url": url, "migrations": database.write_migration(&table) } }
    });
    let input = |r#type: &str| json!({ "GET@v": of_type(r#type) });
    let mut methods = json!({ "clear": method(json!({}), json!({}), json!({ "sql": "delete from event" })) });
    for column in COLUMNS {
        let list = |r#type: &str, condition: &str| {
            let sql = format!("select {column} from event where {condition}");
            (json!({ "*": of_type(&format!("array<{type}>")) }), json!({ "sql": sql }))
        };
        let insert = json!({ "sql": format!("insert into event ({column}) values (:v)") });
        let (output, handler) = list("?datetime", "1 = 1");
        methods[column] = method(json!({}), output, handler);
        let (output, handler) = list("datetime", &format!("{column} = :v"));
        methods[format!("{column}_find")] = method(input("datetime"), output, handler);
        let (output, handler) = list("string", "1 = 1");
        methods[format!("{column}_words")] = method(json!({}), output, handler);
        methods[format!("{column}_add")] = method(input("?datetime"), json!({}), insert);
    }
    methods["now"] = method(
        json!({}),
        json!({ "v": of_type("datetime") }),
        json!({ "sql": "select current_timestamp as v", "missing": false }),
    );
    if database.kind == Kind::Postgres {
        let array = "array<datetime>";
        methods["items"] = method(
            input(array),
            json!({ "v": of_type(array) }),
            json!({ "sql": "select :v::timestamptz[] as v", "rows": "one" }),
        );
        methods["seen"] = method(
            input(array),
            json!({ "*": of_type("array<datetime>") }),
            json!({ "sql": "select plain from event where plain = any(:v)" }),
        );
    }
    TestApi::start(database.folder.path(), &app, &json!({ "/": methods })).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn points_in_time_are_stored_and_read_in_utc() {
    for_each_database(|database| {
        let api = api(database);
        for column in COLUMNS {
            for (sent, read) in TIMES {
                let context = format!("{:?} {column} {sent}", database.kind);
                api.outputs("clear.get", json!({}));
                api.outputs(&format!("{column}_add.get"), json!({ "v": sent }));
                assert_eq!(api.outputs(&format!("{column}.get"), json!({})), json!([read]), "{context}");
                // The same point in time in another notation finds the row.
                for same in [sent, read] {
                    let found = api.outputs(&format!("{column}_find.get"), json!({ "v": same }));
                    assert_eq!(found, json!([read]), "{context} {same}");
                }
            }
            api.outputs("clear.get", json!({}));
            api.outputs(&format!("{column}_add.get"), json!({}));
            assert_eq!(api.outputs(&format!("{column}.get"), json!({})), json!([null]));
        }
    });
}

#[test]
fn outputs_of_other_types_get_the_text_of_the_column() {
    for_each_database(|database| {
        let api = api(database);
        let zoneless = "2026-05-17 12:30:00";
        let expected = database.pick([
            [zoneless, zoneless, zoneless],
            ["2026-05-17T12:30:00Z", "2026-05-17T12:30:00", "2026-05-17T12:30:00Z"],
            ["2026-05-17T12:30:00Z", "2026-05-17T12:30:00", zoneless],
        ]);
        for (column, expected) in COLUMNS.into_iter().zip(expected) {
            api.outputs("clear.get", json!({}));
            api.outputs(&format!("{column}_add.get"), json!({ "v": "2026-05-17T14:30:00+02:00" }));
            let words = api.outputs(&format!("{column}_words.get"), json!({}));
            assert_eq!(words, json!([expected]), "{:?} {column}", database.kind);
        }
    });
}

#[test]
fn points_in_time_beyond_the_year_9999_are_invalid_parameters() {
    for_each_database(|database| {
        let api = api(database);
        for column in COLUMNS {
            for sent in ["9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"] {
                let response = api.call(&format!("{column}_add.get"), json!({ "v": sent }));
                assert_eq!(response.status(), 400, "{:?} {column} {sent}", database.kind);
                assert_eq!(response.error().unwrap().parameter_errors()[0].parameter, "v");
            }
        }
        // A database would round the fraction.
        let last = "9999-12-31T23:59:59.9999999Z";
        api.outputs("plain_add.get", json!({ "v": last }));
        assert_eq!(api.outputs("plain.get", json!({})), json!(["9999-12-31T23:59:59.999999Z"]));
    });
}

#[test]
fn the_time_of_the_database_is_in_utc() {
    for_each_database(|database| {
        let now = api(database).outputs("now.get", json!({}))["v"].as_str().unwrap().to_owned();
        let now: jiff::Timestamp = now.parse().unwrap();
        let difference = jiff::Timestamp::now().duration_since(now);
        assert!(difference.abs() < jiff::SignedDuration::from_mins(10), "{:?} {now}", database.kind);
    });
}

#[test]
fn arrays_of_postgresql_contain_points_in_time() {
    for_each_database(|database| {
        if database.kind != Kind::Postgres {
            return;
        }
        let api = api(database);
        let (sent, read): (Vec<_>, Vec<_>) = TIMES.into_iter().unzip();
        assert_eq!(api.outputs("items.get", json!({ "v": sent })), json!({ "v": read }));
        api.outputs("plain_add.get", json!({ "v": "2026-05-17T12:30:00Z" }));
        let seen = api.outputs("seen.get", json!({ "v": ["2026-05-17T14:30:00+02:00"] }));
        assert_eq!(seen, json!(["2026-05-17T12:30:00Z"]));
        let late: Json = json!({ "v": ["9999-12-31T23:59:60Z"] });
        assert_eq!(api.call("items.get", late).status(), 400);
    });
}
