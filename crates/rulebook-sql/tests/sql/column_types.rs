//! Columns of each type that a database has: values that are too long for them, and pages that they order.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};
use crate::value_tables::start_valid_methods;

/// The definitions of the types that are not built in.
const TYPES: [&str; 3] = [
    "",
    "create extension citext;
     create type mood as enum ('zero', 'one', 'Two');
     create domain code as char(2);
     create domain word as varchar(2);
     create domain bits as bit(2);
     create domain price as numeric(4, 2);
     create domain second as timestamp(0);
     create domain short as smallint;",
    "",
];

/// A type of a column, the type of its parameters, a value that it stores, one that is too long, and whether the
/// database rounds the long value when it is stored.
type Length = (&'static str, &'static str, Json, Json, bool);

fn lengths(kind: Kind) -> Vec<Length> {
    let (string, float, int) = ("string", "float", "int");
    match kind {
        Kind::Sqlite => Vec::new(),
        Kind::Postgres => vec![
            ("char(2)", string, json!("c1"), json!("c12"), false),
            ("char", string, json!("c"), json!("c1"), false),
            ("char(5)", string, json!("c1   "), json!("c1   1"), false),
            ("code", string, json!("c "), json!("c12"), false),
            ("varchar(2)", string, json!("c1"), json!("c12"), false),
            ("word", string, json!("c1"), json!("c12"), false),
            ("bit", string, json!("1"), json!("10"), false),
            ("bit(4)", string, json!("1010"), json!("10101"), false),
            ("bits", string, json!("10"), json!("101"), false),
            ("bit varying(4)", string, json!("101"), json!("10101"), false),
            ("numeric(4, 2)", float, json!(12.5), json!(112.5), false),
            ("numeric(4, 2)", float, json!(12.5), json!(12.501), true),
            ("price", float, json!(12.5), json!(112.5), false),
            ("price", float, json!(12.5), json!(12.501), true),
            ("short", int, json!(7), json!(70_007), false),
            ("\"char\"", string, json!("c"), json!("c1"), false),
            ("name", string, json!("c".repeat(63)), json!("c".repeat(64)), false),
            ("citext", string, json!("C1"), json!("c12"), true),
            ("mood", string, json!("one"), json!("one1"), false),
            ("time(0)", string, json!("12:30:00"), json!("12:30:00.1"), true),
            ("timestamp(0)", string, json!("2026-01-31T12:30:00"), json!("2026-01-31T12:30:00.1"), true),
            ("timestamptz(0)", string, json!("2026-01-31T12:30:00Z"), json!("2026-01-31T12:30:00.1Z"), true),
            ("second", string, json!("2026-01-31T12:30:00"), json!("2026-01-31T12:30:00.1"), true),
            ("interval(0)", string, json!("1 second"), json!("1.1 second"), true),
        ],
        Kind::Mariadb => vec![
            ("char(2)", string, json!("c1"), json!("c12"), false),
            ("char(5)", string, json!("c1   "), json!("c1   1"), false),
            ("varchar(2)", string, json!("c1"), json!("c12"), false),
            ("binary(2)", string, json!("c1"), json!("c12"), false),
            ("varbinary(2)", string, json!("c1"), json!("c12"), false),
            ("bit(4)", int, json!(10), json!(26), false),
            ("decimal(4, 2)", float, json!(12.5), json!(112.5), false),
            ("decimal(4, 2)", float, json!(12.5), json!(12.501), true),
            ("tinyint", int, json!(7), json!(263), false),
            ("enum('one')", string, json!("one"), json!("one1"), false),
            ("time", string, json!("12:30:00"), json!("12:30:00.1"), true),
            ("datetime", string, json!("2026-01-31 12:30:00"), json!("2026-01-31 12:30:00.1"), true),
        ],
    }
}

/// The conditions with a parameter, and the assignments of one. The name of a list contains `list`.
const CONDITIONS: [(&str, &str); 4] =
    [("one", "v = :v"), ("item", "v in (:v)"), ("list", "v = any(:v)"), ("item_of_list", ":v = any(vs)")];
const ASSIGNMENTS: [(&str, &str); 3] = [("one", "v = :v"), ("list", "vs = :v"), ("item_of_list", "vs[1] = :v")];

fn is_list(name: &str) -> bool {
    name == "list"
}

#[test]
fn a_value_that_is_too_long_finds_removes_and_stores_nothing() {
    for_each_database(|database| {
        let (types, has_lists) = (lengths(database.kind), database.kind == Kind::Postgres);
        let known = |name: &str| has_lists || !name.contains("list");
        let (mut tables, mut methods) = (database.pick(TYPES).to_owned(), Map::new());
        for (index, (column, parameter, ..)) in types.iter().enumerate() {
            let array = if has_lists { format!("vs {column}[]") } else { "vs int".to_owned() };
            tables.push_str(&format!("create table t{index} (id integer, v {column}, {array});"));
            let mut add = |name: String, is_list: bool, output: Json, sql: String| {
                let parameter = if is_list { format!("array<{parameter}>") } else { (*parameter).to_owned() };
                let input = json!({ "v": of_type(&parameter) });
                let method = method(input, output, json!({ "sql": sql }));
                methods.insert(format!("{name}{index}"), json!({ "POST": method["GET"] }));
            };
            let mut statements = vec![("reset".to_owned(), false, json!({}), format!("update t{index} set v = :v"))];
            for (name, condition) in CONDITIONS.into_iter().filter(|(name, _)| known(name)) {
                let found = json!({ "*": of_type("array<int>") });
                let (select, delete) = (format!("select id from t{index}"), format!("delete from t{index}"));
                statements.push((format!("find_{name}_"), is_list(name), found, format!("{select} where {condition}")));
                statements.push((
                    format!("delete_{name}_"),
                    is_list(name),
                    json!({}),
                    format!("{delete} where {condition}"),
                ));
            }
            if has_lists {
                let sql = format!("delete from t{index} where v <> all(:v)");
                statements.push(("keep_list".to_owned(), true, json!({}), sql));
            }
            for (name, assignment) in ASSIGNMENTS.into_iter().filter(|(name, _)| known(name)) {
                let sql = format!("update t{index} set {assignment}");
                statements.push((format!("set_{name}_"), is_list(name), json!({}), sql));
            }
            statements.into_iter().for_each(|(name, is_list, output, sql)| add(name, is_list, output, sql));
            let (insert, rows) =
                (format!("insert into t{index} (id) values (1)"), json!({ "*": of_type("array<int>") }));
            methods.insert(format!("insert{index}"), method(json!({}), json!({}), json!({ "sql": insert })));
            let clear = format!("delete from t{index}");
            methods.insert(format!("clear{index}"), method(json!({}), json!({}), json!({ "sql": clear })));
            let rows_sql = format!("select id from t{index} where v is not null");
            methods.insert(format!("rows{index}"), method(json!({}), rows, json!({ "sql": rows_sql })));
        }
        if types.is_empty() {
            return;
        }
        let migrations = database.write_migration(&tables);
        let api = database.api_with(json!({ "migrations": migrations }), Json::Object(methods));
        let mut errors = Vec::new();
        for (index, (column, _, short, long, is_rounded)) in types.iter().enumerate() {
            let value =
                |name: &str, value: &Json| json!({ "v": if is_list(name) { json!([value]) } else { value.clone() } });
            let reset = || {
                api.outputs(&format!("clear{index}.get"), json!({}));
                api.outputs(&format!("insert{index}.get"), json!({}));
                for (name, _) in ASSIGNMENTS.into_iter().filter(|(name, _)| known(name) && *name != "item_of_list") {
                    api.outputs(&format!("set_{name}_{index}.post"), value(name, short));
                }
            };
            let rows = || api.outputs(&format!("rows{index}.get"), json!({}));
            let mut expect = |what: String, found: Json, expected: Json| {
                if found != expected {
                    errors.push(format!("{:?} {column}, {what}: {found} instead of {expected}", database.kind));
                }
            };
            for (name, _) in CONDITIONS.into_iter().filter(|(name, _)| known(name)) {
                reset();
                for (tested, expected) in [(short, json!([1])), (long, json!([]))] {
                    let response = api.call(&format!("find_{name}_{index}.post"), value(name, tested));
                    let found = match response.status() {
                        400 => json!([]),
                        _ => response.outputs().unwrap_or_else(|error| json!(format!("{error:?}"))),
                    };
                    expect(format!("find {name} {tested}"), found, expected);
                }
                let status = api.call(&format!("delete_{name}_{index}.post"), value(name, long)).status();
                expect(format!("delete {name} {long}"), json!([rows(), status < 500]), json!([[1], true]));
                api.outputs(&format!("delete_{name}_{index}.post"), value(name, short));
                expect(format!("delete {name} {short}"), rows(), json!([]));
            }
            if has_lists {
                reset();
                api.outputs(&format!("keep_list{index}.post"), value("list", short));
                expect(format!("keep {short}"), rows(), json!([1]));
            }
            for (name, _) in ASSIGNMENTS.into_iter().filter(|(name, _)| known(name)) {
                reset();
                let status = |tested| api.call(&format!("set_{name}_{index}.post"), value(name, tested)).status();
                expect(format!("set {name} {short}"), json!(status(short)), json!(200));
                expect(format!("set {name} {long}"), json!(status(long)), json!(if *is_rounded { 200 } else { 400 }));
            }
        }
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    });
}

/// A type of a column, the type of its output, and values in SQL between semicolons, or what the error at start
/// contains.
type Order = (&'static str, &'static str, Result<&'static str, &'static str>);

const REFUSED: Result<&str, &str> = Err("cannot order pages");
const UNSUPPORTED: Result<&str, &str> = Err("is not supported");
const BINARY: Result<&str, &str> = Err("is binary data");

fn orders(kind: Kind) -> Vec<Order> {
    match kind {
        Kind::Sqlite => vec![
            ("integer", "int", Ok("0;-1;9223372036854775807;-9223372036854775808;5")),
            ("real", "float", Ok("0.1;0.2;-0.3;1e300;5e-324;1.0 / 3;0.30000000000000004")),
            ("text", "string", Ok("'a';'A';'b';'ä';'';'a ';'a' || char(9);'1';'10';'9'")),
            ("text collate nocase", "string", Ok("'a';'B';'c';'A';'b'")),
            ("text collate rtrim", "string", Ok("'a';'a ';'B';'a' || char(9)")),
            ("boolean", "bool", Ok("true;false")),
            ("decimal(10, 2)", "string", Ok("1.5;12.25;-3;'x';7")),
            ("datetime", "string", Ok("'2026-01-31 12:30:00';'2025-01-31';'2026-01-31 12:30:00.5';1")),
            ("json", "string", Ok("'{}';'1';'[1]';'\"x\"';2.5")),
            ("", "string", Ok("1;'1';1.5;'a';-7;'B';9223372036854775807")),
            ("blob", "string", BINARY),
        ],
        Kind::Postgres => vec![
            ("smallint", "int", Ok("0;-32768;32767;5")),
            ("integer", "int", Ok("0;-2147483648;2147483647;5")),
            ("bigint", "int", Ok("0;-9223372036854775808;9223372036854775807;5")),
            ("short", "int", Ok("0;-32768;32767;5")),
            ("oid", "int", Ok("0;4294967295;5")),
            ("real", "float", Ok("0.1;0.2;-0.3;3.4e38;1e-45;0.7;16777217")),
            ("double precision", "float", Ok("0.1;0.2;-0.3;1e300;5e-324;1.0 / 3;0.30000000000000004")),
            (
                "numeric",
                "string",
                Ok("0.1;0.10;1e-30;12345678901234567890.123456788;12345678901234567890.123456789;-7;2e30"),
            ),
            ("price", "float", Ok("0.1;-12.5;99.99;7")),
            ("boolean", "bool", Ok("true;false")),
            ("text", "string", Ok("'a';'A';'b';'ä';'';'a ';E'a\\t';'ab'")),
            ("text collate \"und-x-icu\"", "string", Ok("'a';'A';'b';'ä';'';'a ';E'a\\t';'ab';'B'")),
            ("varchar(5)", "string", Ok("'a';'A';'b';'ä';'';'a ';E'a\\t';'ab'")),
            ("char(4)", "string", Ok("'a';'A';'b';'ä';'';E'a\\t';'ab';'abcd'")),
            ("char(4) collate \"und-x-icu\"", "string", Ok("'a';'A';'b';'ä';'';E'a\\t';'ab';'abcd'")),
            ("code", "string", Ok("'a';'A';'b';'ä';'';E'a\\t';'ab'")),
            ("name", "string", Ok("'a';'A';'b';'ä';'';'a ';'ab'")),
            ("citext", "string", Ok("'a';'B';'c';'A';'b';'ä'")),
            ("mood", "string", Ok("'zero';'one';'Two'")),
            ("date", "string", Ok("'2026-01-31';'0001-01-01';'10000-01-01';'infinity';'-infinity'")),
            ("time", "string", Ok("'12:30';'00:00';'24:00';'12:30:00.000001'")),
            ("timestamp", "string", Ok("'2026-01-31 12:30';'2026-01-31 12:30:00.000001';'infinity';'0001-01-01'")),
            ("timestamptz", "string", Ok("'2026-01-31 12:30Z';'2026-01-31 12:30:00.000001Z';'infinity';'0001-01-01Z'")),
            ("uuid", "string", Ok("'6f1c3e8a-1b2c-4d5e-8f90-a1b2c3d4e5f6';'0f1c3e8a-1b2c-4d5e-8f90-a1b2c3d4e5f6'")),
            ("jsonb", "string", REFUSED),
            ("json", "string", Err("operator does not exist: json")),
            ("integer[]", "array", REFUSED),
            ("char(2)[]", "array", REFUSED),
            ("bytea", "string", BINARY),
            ("bit(4)", "string", UNSUPPORTED),
            ("bit varying", "string", UNSUPPORTED),
            ("\"char\"", "string", UNSUPPORTED),
            ("interval", "string", UNSUPPORTED),
            ("money", "string", UNSUPPORTED),
            ("inet", "string", UNSUPPORTED),
            ("macaddr", "string", UNSUPPORTED),
            ("timetz", "string", UNSUPPORTED),
            ("int4range", "string", UNSUPPORTED),
        ],
        Kind::Mariadb => vec![
            ("boolean", "bool", Ok("true;false")),
            ("tinyint unsigned", "int", Ok("0;255;5")),
            ("bigint", "int", Ok("0;-9223372036854775808;9223372036854775807;5")),
            ("bigint unsigned", "uint", Ok("0;18446744073709551615;18446744073709551614;9223372036854775808;5")),
            ("bit(1)", "int", Ok("b'0';b'1'")),
            ("bit(20)", "int", Ok("0;1048575;5;256;513")),
            ("bit(64)", "uint", Ok("0;0xffffffffffffffff;5;256;0xfffffffffffffffe")),
            ("year", "int", Ok("0;1901;2026;2155;2001;1999")),
            ("float", "float", Ok("0.1;0.2;-0.3;3.4e38;1e-38;0.7;16777217;1 / 3")),
            ("float(7, 2)", "float", Ok("0.1;0.25;-0.3;7;99999.99")),
            ("double", "float", Ok("0.1;0.2;-0.3;1e300;5e-324;1 / 3e0;0.30000000000000004")),
            ("double(10, 2)", "float", Ok("0.1;0.25;-0.3;7;99999999.99")),
            ("decimal(10, 2)", "float", Ok("0.1;0.25;-0.3;7;99999999.99;99999999.98")),
            ("decimal(15, 15)", "float", Ok("0.1;0.100000000000001;-0.3;0.999999999999999;0.999999999999998")),
            ("decimal(18, 0)", "string", Ok("1;-7;999999999999999999;999999999999999998")),
            ("decimal(30, 2)", "string", Ok("1.5;1.51;-1.5;1234567890123.45;1234567890123.46;2")),
            (
                "decimal(30, 20)",
                "string",
                Ok("1.5;1.50000000000000000001;1.6;-1.50000000000000000001;0.00000000000000000001"),
            ),
            (
                "decimal(65, 30)",
                "string",
                Ok("1.5;12345678901234567890123456789012345.123456789012345678901234567891;-2"),
            ),
            ("decimal(65, 0)", "string", Ok("1;99999999999999999999999999999999999999999999999999999999999999999;-7")),
            ("decimal(30, 2)", "float", Ok("12345678901234567.00;12345678901234568.00;-12345678901234567.00")),
            ("date", "string", Ok("'2026-01-31';'1000-01-01';'9999-12-31'")),
            ("time(6)", "string", Ok("'12:30';'-838:59:59';'838:59:59';'-00:00:01';'12:30:00.000001';'100:00'")),
            ("datetime(6)", "string", Ok("'2026-01-31 12:30';'2026-01-31 12:30:00.000001';'1000-01-01'")),
            ("timestamp(6)", "string", Ok("'2026-01-31 12:30';'2026-01-31 12:30:00.000001';'1970-01-02'")),
            ("char(4)", "string", Ok("'a';'A';'b';'ä';'';'a\\t';'ab';'abcd'")),
            ("varchar(4)", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t';'ab';'abcd'")),
            ("varchar(4) collate utf8mb4_bin", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t';'ab';'abcd'")),
            ("varchar(4) collate utf8mb4_nopad_bin", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t';'ab';'abcd'")),
            ("varchar(4) collate utf8mb4_swedish_ci", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t';'z';'Ö'")),
            (
                "varchar(4) character set latin1 collate latin1_german2_ci",
                "string",
                Ok("'a';'A';'b';'ä';'';'ad';'af';'z';'Ö';'a\\t'"),
            ),
            ("text", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t';'ab';'abcd'")),
            ("longtext", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t';'ab';'abcd'")),
            ("longtext collate utf8mb4_bin", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\t';'1';'10';'9'")),
            ("json", "string", Ok("'{}';'1';'[1]';'\"x\"';'null';'10';'9'")),
            ("enum('zero', 'one', 'Two')", "string", Ok("'zero';'one';'Two'")),
            ("enum('zero', 'one') collate utf8mb4_bin", "string", Ok("'zero';'one'")),
            ("set('zero', 'one', 'Two')", "string", Ok("'zero';'one';'Two';'';'zero,Two';'one,Two'")),
            (
                "set('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20','21','22','23','24','25','26','27','28','29','30','31','32','33','34','35','36','37','38','39','40','41','42','43','44','45','46','47','48','49','50','51','52','53','54','55','56','57','58','59','60','61','62','63','64')",
                "string",
                Ok("'64';'64,1';'64,2';'1,2,64';'';'63'"),
            ),
            ("binary(3)", "string", Ok("'a';'A';'b';'ab';'';'a '")),
            ("varbinary(3)", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t'")),
            ("blob", "string", Ok("'a';'A';'b';'ä';'';'a ';'a\\t'")),
            (
                "uuid",
                "string",
                Ok(
                    "'6f1c3e8a-1b2c-4d5e-8f90-a1b2c3d4e5f6';'0f1c3e8a-2b2c-4d5e-8f90-a1b2c3d4e5f6';'ff1c3e8a-0b2c-1d5e-8f90-01b2c3d4e5f6'",
                ),
            ),
            ("inet4", "string", Ok("'9.0.0.1';'10.0.0.1';'255.0.0.1';'100.0.0.1'")),
            ("inet6", "string", Ok("'::1';'a::1';'ffff::';'9::';'10::'")),
            ("point", "string", UNSUPPORTED),
        ],
    }
}

/// Returns the ids of all pages, at most as many pages as there are rows.
fn ids_of_pages(api: &TestApi, method: &str) -> Result<Vec<i64>, String> {
    let (mut ids, mut arguments) = (Vec::new(), json!({}));
    for _ in 0..30 {
        let response = api.call(method, arguments.clone());
        let reason = response.error().and_then(|error| error.log()).unwrap_or_default().to_owned();
        let outputs = response.outputs().map_err(|error| format!("{error:?} {reason}"))?;
        ids.extend(outputs["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()));
        match &outputs["next"] {
            Json::Null => return Ok(ids),
            next => arguments["cursor"] = next.clone(),
        }
    }
    Err("the pages do not end".to_owned())
}

#[test]
fn pages_have_each_row_once_or_are_refused() {
    for_each_database(|database| check_pages(database, false));
}

#[test]
fn pages_have_each_row_without_a_value_once() {
    for_each_database(|database| check_pages(database, true));
}

fn check_pages(database: &TestDatabase, has_nulls: bool) {
    let null = if has_nulls { "null" } else { "not null" };
    {
        let types = orders(database.kind);
        let mut tables = database.pick(TYPES).to_owned();
        let mut methods = Vec::new();
        for (index, (column, output, values)) in types.iter().enumerate() {
            tables.push_str(&format!("create table t{index} (id integer primary key, v {column} {null});"));
            if let Ok(values) = values {
                let values: Vec<_> = values.split(';').chain(has_nulls.then_some("null")).collect();
                let rows: Vec<_> = (1..=30).map(|id| format!("({id}, {})", values[id % values.len()])).collect();
                tables.push_str(&format!("insert into t{index} values {};", rows.join(", ")));
            }
            for by in ["v, id", "v desc, id desc"] {
                let output = if has_nulls { format!("?{output}") } else { output.to_string() };
                let fields = json!({ "id": of_type("int"), "v": of_type(&output) });
                let items = json!({ "info": "The items", "type": "array<object>", "fields": fields });
                let handler = json!({ "sql": format!("select id, v from t{index}"), "page": { "by": by, "size": 4 } });
                let outputs = json!({ "items": items, "next": of_type("?string") });
                let list = method(json!({ "GET@cursor": of_type("?string") }), outputs, handler);
                methods.push(format!("\"t{}\": {list}", methods.len()));
            }
        }
        let (api, rejected) = start_valid_methods(database, &tables, &methods);
        let mut errors = Vec::new();
        for (number, (column, _, values)) in types.iter().flat_map(|row| [row, row]).enumerate() {
            let found = match (rejected.get(&number), values) {
                (Some(report), Err(message)) if report.contains(message) => continue,
                (Some(report), _) => Err(report.clone()),
                (None, Err(_)) => Err("the program starts".to_owned()),
                (None, Ok(_)) => ids_of_pages(&api, &format!("t{number}.get")),
            };
            let expected: BTreeSet<_> = (1..=30).collect();
            match found {
                Ok(ids) if ids.len() == 30 && BTreeSet::from_iter(ids.iter().copied()) == expected => {}
                found => errors.push(format!("{:?} {column} {}: {found:?}", database.kind, number % 2)),
            }
        }
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}
