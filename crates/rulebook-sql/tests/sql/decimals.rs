//! Decimal numbers, as parameters and as outputs.

use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};

/// A number with more digits than a floating-point number has.
const LONG: &str = "1234567890123456.78";

/// Returns an API with methods that store, compare and compute numbers of the type `decimal(20,2)`. The column of
/// SQLite is a text.
fn api(database: &TestDatabase) -> TestApi {
    let tables = database.pick([
        "create table item (price text, cents integer)",
        "create table item (price numeric(18,2), cents integer)",
        "create table item (price decimal(18,2), cents integer)",
    ]);
    let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": database.write_migration(tables) } } });
    let price = json!({ "GET@price": of_type("decimal(20,2)") });
    let output = json!({ "price": of_type("decimal(20,2)") });
    let row = |sql: &str| method(price.clone(), output.clone(), json!({ "sql": sql, "missing": "missing" }));
    let handler = |sql: &str| json!({ "sql": sql, "missing": "missing", "unused": ["price"] });
    let constant = |sql: &str| method(price.clone(), output.clone(), handler(sql));
    let mut definition = json!({ "/": {
        "add": row("insert into item (price) values (:price) returning price"),
        "find": row("select price from item where price = :price"),
        "twice": row(database.pick([
            "select cast(cast(:price as integer) * 2 as text) as price",
            "select :price::numeric * 2 as price",
            "select :price * 2 as price",
        ])),
        "same": row("select :price as price"),
        "whole": constant("select 7 as price"),
        "short": constant(database.pick(["select 12.50 as price", "select 12.5000 as price", "select 12.5000 as price"])),
        "sum": constant(database.pick(["select 0.1 + 0.2 as price", "select 0.3 as price", "select 0.3 as price"])),
        "long": constant("select 0.125 as price"),
        "text": method(json!({}), json!({ "price": of_type("?decimal(20,2)") }), json!({
            "sql": database.pick(["select 'abc' as price", "select 'NaN'::numeric as price", "select 'abc' as price"]),
            "missing": false
        }))
    } });
    if database.kind == Kind::Postgres {
        definition["/"]["list"] = method(
            json!({ "GET@prices": of_type("array<decimal(20,2)>") }),
            json!({ "prices": of_type("array<decimal(20,2)>") }),
            json!({ "sql": "select :prices::numeric[] as prices", "rows": "one", "missing": false }),
        );
    }
    TestApi::start(database.folder.path(), &app, &definition).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn decimals_keep_all_digits() {
    for_each_database(|database| {
        let api = api(database);
        let price = |method: &str, price: &str| api.outputs(method, json!({ "price": price }))["price"].clone();
        for (given, stored) in [(LONG, LONG), ("-0.5", "-0.50"), ("12", "12.00"), ("0", "0.00")] {
            assert_eq!(price("add.get", given), stored, "{:?}", database.kind);
            assert_eq!(price("find.get", given), stored, "{:?}", database.kind);
            assert_eq!(price("same.get", given), stored, "{:?}", database.kind);
        }
        let doubled = database.pick(["2469135780246912.00", "2469135780246913.56", "2469135780246913.56"]);
        assert_eq!(price("twice.get", LONG), doubled, "{:?}", database.kind);
        for (method, expected) in [("whole.get", "7.00"), ("short.get", "12.50"), ("sum.get", "0.30")] {
            assert_eq!(price(method, "1"), expected, "{method} {:?}", database.kind);
        }
        assert_eq!(api.outputs("text.get", json!({})), json!({ "price": null }), "{:?}", database.kind);
        if database.kind == Kind::Postgres {
            let prices = json!({ "prices": [LONG, "0.10"] });
            assert_eq!(api.outputs("list.get", prices.clone()), prices);
        }
    });
}

#[test]
fn numbers_with_more_digits_than_the_output_are_internal_errors() {
    for_each_database(|database| {
        let (status, reason) = api(database).error("long.get", json!({ "price": "1" }));
        assert_eq!(status, 500);
        assert!(reason.contains("at most 18 digits before the point and 2 after it, got \"0.125\""), "{reason}");
    });
}

#[test]
fn numbers_that_a_column_cannot_store_are_errors_of_the_request() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            return;
        }
        let response = api(database).call("add.get", json!({ "price": "123456789012345678.00" }));
        assert_eq!(response.status(), 400);
        let error = format!("{:?}", response.error());
        assert!(error.contains("price"), "{error}");
    });
}

#[test]
fn numbers_of_json_are_refused_with_the_notation_that_is_expected() {
    let api = api(&TestDatabase::sqlite());
    let response = api.call("add.get", json!({ "price": 12.5 }));
    assert_eq!(response.status(), 400);
    let error = format!("{:?}", response.error());
    assert!(error.contains("a string with a decimal number"), "{error}");
}

#[test]
fn decimals_are_no_whole_numbers_of_postgresql() {
    for_each_database(|database| {
        if database.kind != Kind::Postgres {
            return;
        }
        let app = json!({ "handlers": { "sql": { "url": database.url } } });
        let price = |direction: &str| json!({ direction: of_type("decimal(10,2)") });
        let handler = json!({ "sql": "select :price * 2 as price" });
        let definition: Json = json!({ "/": { "a": method(price("GET@price"), price("price"), handler) } });
        let Err(error) = TestApi::start(database.folder.path(), &app, &definition) else { panic!("it started") };
        assert!(error.contains("the values of `:price` are a decimal number, but the database expects `integer`"));
        assert!(error.contains("convert the value: `:price::numeric`"), "{error}");
    });
}

#[test]
fn floating_point_columns_are_no_decimals() {
    for_each_database(|database| {
        let app = json!({ "handlers": { "sql": {
            "url": database.url,
            "migrations": database.write_migration(database.pick([
                "create table item (price real)",
                "create table item (price double precision)",
                "create table item (price double)",
            ]))
        } } });
        let handler = json!({ "sql": "select price from item", "missing": "missing" });
        let output = json!({ "price": of_type("decimal(10,2)") });
        let definition: Json = json!({ "/": { "a": method(json!({}), output, handler) } });
        let Err(error) = TestApi::start(database.folder.path(), &app, &definition) else { panic!("it started") };
        assert!(error.contains("the column `price` is a number, but the output is a decimal number"), "{error}");
    });
}
