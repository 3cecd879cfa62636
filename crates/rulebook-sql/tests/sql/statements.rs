//! Which parts of a statement are parameters, in the syntax of each database. Statements are checked before the
//! databases are opened, so that no server is needed.

use proptest::prelude::*;
use rulebook::Rulebook;
use rulebook_sql::SqlKind;
use serde_json::json;

use crate::databases::method;

const SQLITE: &str = "sqlite:a.db";
const POSTGRES: &str = "postgres://ada@localhost/notes";
const MYSQL: &str = "mysql://ada@localhost/notes";
const ALL: [&str; 3] = [SQLITE, POSTGRES, MYSQL];

/// Returns the report of the errors in a statement for the database at an address; it is empty without errors.
fn report(sql: &str, url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let app = json!({ "handlers": { "sql": { "url": url } } }).to_string();
    let definition = json!({ "/": { "a": method(json!({}), json!({}), json!({ "sql": sql })) } }).to_string();
    let files = vec![("app.json".into(), app.into()), ("a.json".into(), definition.into())];
    let built = Rulebook::read(files).handler_kind(SqlKind::new()).data_folder(folder.path().join("data")).build();
    built.err().map(|report| report.to_string()).unwrap_or_default()
}

/// Returns the names of the parameters of a statement, which the method does not have.
fn parameters(sql: &str, url: &str) -> Vec<String> {
    let report = report(sql, url);
    let names = report.split("the method has no parameter `").skip(1);
    names.map(|rest| rest.split('`').next().unwrap().to_owned()).collect()
}

#[test]
fn parameters_are_found() {
    for url in ALL {
        assert_eq!(parameters("select :a, f(:b_1),:c||:é where x=:d.e.", url), ["a", "b_1", "c", "é", "d"]);
    }
}

#[test]
fn casts_assignments_and_slices_are_not_parameters() {
    assert_eq!(parameters("select :a::text, x::int, a[1:2], a[lo:hi], f(b := 1), b:: c", POSTGRES), ["a"]);
}

#[test]
fn quotes_and_comments_are_skipped() {
    for url in ALL {
        assert_eq!(parameters("select ':a', 'it''s :b', \":c\", /* :d */ :e -- :f\n, :g", url), ["e", "g"]);
    }
    assert_eq!(parameters("select `:a`, [:b], '\\', :c", SQLITE), ["c"]);
    assert_eq!(parameters("select `:a`, '\\':b', \"\\\":c\", :d # :e", MYSQL), ["d"]);
    assert_eq!(parameters("select 5--:a", MYSQL), ["a"]);
    let sql = "select $$ :a $$, $t$ $$ :b $t$, E'\\':c', '\\', :d, /* /* :e */ :f */ a[:g], x$1$ || :h";
    assert_eq!(parameters(sql, POSTGRES), ["d", "g", "h"]);
}

#[test]
fn unclosed_quotes_and_comments_are_errors() {
    for (sql, url, error) in [
        ("select 'a", SQLITE, "the text that begins here is not closed"),
        ("select \"a", POSTGRES, "the quoted name that begins here is not closed"),
        ("select /* /* */", POSTGRES, "the comment that begins here is not closed"),
        ("select $x$ $y$", POSTGRES, "the text that begins here is not closed"),
    ] {
        let report = report(sql, url);
        assert!(report.contains(error), "{sql}: {report}");
    }
}

#[test]
fn a_second_statement_is_an_error() {
    for (sql, is_error) in [
        ("select 1; ", false),
        ("select ';'; -- select 2\n;/* 3 */", false),
        ("select 1; select 2", true),
        ("select 1;'a'", true),
    ] {
        assert_eq!(report(sql, SQLITE).contains("a second statement begins here"), is_error, "{sql}");
    }
}

#[test]
fn a_parameter_cannot_name_the_column_of_an_order() {
    for (sql, is_error) in [
        ("select 1 as a order by :a", true),
        ("select 1 as a order by :a desc", true),
        ("select 1 as a ORDER /* by */ BY :a asc limit 3", true),
        ("select 1 as b order by b, :a", true),
        ("select 1 as b order by x.b desc, :a nulls last", true),
        ("select row_number() over (order by :a)", true),
        ("select 1 as a order by case :a when 'a' then a end", false),
        ("select 1 as a order by :a = 'a'", false),
        ("select 1 as a order by :a in (a, 2)", false),
        ("select 1 as a order by a limit :a", false),
        ("select 1 as a order by a limit 5, :a", false),
        ("select 1 as a order by coalesce(a, :a)", false),
        ("select 1 as a order by a || :a", false),
        ("select ' order by ', :a", false),
    ] {
        assert_eq!(report(sql, SQLITE).contains("not ordered by a column"), is_error, "{sql}");
    }
}

#[test]
fn statements_that_certainly_return_a_row_need_no_error_for_a_missing_row() {
    let needs_missing = |sql: &str| {
        let handler = json!({ "sql": sql });
        let input = json!({ "GET@a": { "info": "A value", "type": "?string" } });
        let output = json!({ "b": { "info": "A value", "type": "any" }, "c": { "info": "A value", "type": "any" } });
        let definition = json!({ "/": { "a": method(input, output, handler) } }).to_string();
        let rulebook = Rulebook::read(vec![("a.json".into(), definition.into())]).handler_kind(SqlKind::new());
        let folder = tempfile::tempdir().unwrap();
        let report = rulebook.data_folder(folder.path().join("data")).build().err();
        report.is_some_and(|report| report.to_string().contains("the handler has no `missing`"))
    };
    for (sql, is_certain) in [
        ("select :a + 1 as b", true),
        ("insert into note (title) values (:a) returning id", true),
        ("select a from note", false),
        ("select 1 where :a", false),
        ("insert into note (title) values (:a) on conflict do nothing returning id", false),
        ("insert into note (title) select :a returning id", false),
        ("delete from note returning id", false),
    ] {
        assert_eq!(needs_missing(sql), !is_certain, "{sql}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn text_without_colons_has_no_parameters(sql in "[^:]*") {
        for url in ALL {
            prop_assert!(parameters(&sql, url).is_empty());
        }
    }

    #[test]
    fn quoted_text_has_no_parameters(text in "[^'\\\\]*") {
        for url in ALL {
            prop_assert_eq!(parameters(&format!("select '{text}', :last"), url), ["last"]);
        }
    }

    #[test]
    fn each_parameter_is_a_name(sql in r#"[a-c:;'"`$\[\]/*# .\-\\\n]{0,40}"#) {
        for url in ALL {
            for name in parameters(&sql, url) {
                prop_assert!(name.split('.').all(|part| part.starts_with(char::is_alphabetic)), "{}", name);
                let parameter = format!(":{name}");
                prop_assert!(sql.contains(&parameter));
            }
        }
    }

    #[test]
    fn any_text_can_be_a_statement(sql in any::<String>()) {
        for url in ALL {
            report(&sql, url);
        }
    }
}
