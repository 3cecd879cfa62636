//! Parameters that a handler does not use.

use serde_json::{Value as Json, json};

use crate::databases::{TestApi, TestDatabase, for_each_database};

/// Starts an API with a method, which has this parameter beside its `id`, and these other members. The error is the
/// report of the errors.
fn start(database: &TestDatabase, parameter: &str, members: Json, mut app: Json) -> Result<TestApi, String> {
    let members = members.to_string();
    let method = members.strip_prefix('{').unwrap();
    let definition = format!(
        r#"{{ "/": {{ "note/{{id}}": {{
"DELETE": {{ "info": "Removes a note", "in": {{
{parameter}
"{{id}}": {{ "info": "The note", "type": "id" }} }}, {method},
"GET": {{ "info": "A note", "in": {{ "{{id}}": {{ "info": "The note", "type": "id" }} }}, "handler": {{ "value": {{}} }} }} }} }} }}"#
    );
    let migrations = database.write_migration("create table note (id integer primary key, title varchar(100));");
    app["handlers"] = json!({ "sql": { "url": database.url, "migrations": migrations } });
    TestApi::start_texts(database.folder.path(), &app.to_string(), &definition)
}

const Q: &str = r#""GET@q": { "info": "A text", "type": "?string" },"#;
const DELETE: &str = "delete from note where id = :id";

#[test]
fn a_parameter_that_nothing_uses_is_an_error_at_its_key() {
    for_each_database(|database| {
        let quoted = "`:q` in quotes is text: write it outside of them, as in `'%' || :q || '%'`";
        let comment = "`:q` in a comment is not a parameter";
        let forgotten = "write `:q` in a statement, such as `where q = :q`; if the handler does not need the value, \
                         add `\"unused\": [\"q\"]` to the handler";
        let version = r#""HEADER@If-Match": { "info": "The version", "type": "int", "name": "version" },"#;
        let name = database.pick(["[:q]", "\":q\"", "`:q`"]);
        let other_quotes = database.pick(["'''%:q'", "$x$:q$x$", "\":q\""]);
        for (parameter, statement, help) in [
            (Q, format!("{DELETE} and title = q"), forgotten),
            (Q, format!("{DELETE} and title like '%:q%'"), quoted),
            (Q, format!("{DELETE} and title = {other_quotes}"), quoted),
            (Q, format!("select title as {name} from note where id = :id"), quoted),
            (Q, format!("{DELETE} -- and title = :q"), comment),
            (Q, format!("/* :query, :q */ {DELETE}"), comment),
            // The longer name in quotes is another one.
            (Q, format!("{DELETE} and title = ':query'"), forgotten),
            (version, DELETE.to_owned(), "write `:version` in a statement"),
        ] {
            let handler = json!({ "handler": { "sql": ["delete from note where id = 0", statement] } });
            let Err(error) = start(database, parameter, handler, json!({})) else { panic!("no error in {statement}") };
            let name = if parameter == Q { "q" } else { "version" };
            let message = format!("the handler does not use the parameter `{name}`\n --> note.json:3:2\n");
            assert!(error.contains(&message) && error.contains(help), "{statement}: {error}");
        }
        let handler = json!({ "handler": { "sql": "delete from note where id = id" } });
        let Err(error) = start(database, "", handler, json!({})) else { panic!("it started") };
        assert!(error.contains("the handler does not use the parameter `id`\n --> note.json:4:2\n"), "{error}");
    });
}

#[test]
fn a_parameter_that_needs_no_statement_is_accepted() {
    let database = TestDatabase::sqlite();
    let handler = json!({ "sql": DELETE });
    let key = r#""HEADER@Idempotency-Key": { "info": "A key", "type": "string", "name": "q" },"#;
    let version = r#""HEADER@Api-Version": { "info": "A version", "type": "?string", "name": "q" },"#;
    let common = json!({ "common": { "GET@q": { "info": "A text", "type": "?string" } } });
    let versions = json!({ "versions": { "names": ["1", "2"], "header": "Api-Version" } });
    for (parameter, members, app) in [
        (Q, json!({ "handler": { "sql": DELETE, "unused": ["q"] } }), json!({})),
        (Q, json!({ "handler": { "sql": format!("{DELETE} and :given.q") } }), json!({})),
        (
            &*Q.replace("?string", "id"),
            json!({ "handler": handler, "constraints": [{ "equal": ["q", "id"] }] }),
            json!({}),
        ),
        (key, json!({ "handler": handler, "options": { "idempotent": "required" } }), json!({})),
        (version, json!({ "handler": handler }), versions),
        ("", json!({ "handler": handler }), common),
    ] {
        if let Err(error) = start(&database, parameter, members.clone(), app) {
            panic!("{members}: {error}");
        }
    }
}

#[test]
fn a_method_that_changes_rows_uses_what_selects_them() {
    let database = TestDatabase::sqlite();
    let handler = json!({ "sql": DELETE });
    let scope = json!({ "handler": handler, "scope": [["note[q]"]] });
    let equal = json!({ "handler": handler, "constraints": [{ "equal": ["q", "r"] }] });
    let two = format!("{Q}{}", Q.replace("GET@q", "GET@r"));
    let common = json!({ "common": { "HEADER@q": { "info": "An owner", "type": "string" } } });
    for (parameter, members, app) in [
        (&*Q.replace("GET@q", "HEADER@q"), scope, json!({})),
        (&*two, equal, json!({})),
        ("", json!({ "handler": handler }), common),
    ] {
        let Err(error) = start(&database, parameter, members.clone(), app) else { panic!("no error in {members}") };
        assert!(error.contains("the handler does not use the parameter `q`"), "{error}");
    }
    // Both methods have the same handler.
    let definition = r#"{ "dialect": "rules", "Note": { "del": { "@method": ["POST", "DELETE"], "@info": "Removes a note",
        "id": { "name": "id", "type": "int", "require": true, "desc": "The note" },
        "@handler": { "sql": "delete from note where id = id" } } } }"#;
    let migrations = database.write_migration("create table note (id integer primary key);");
    let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": migrations } } });
    let started = TestApi::start_texts(database.folder.path(), &app.to_string(), definition);
    let Err(error) = started else { panic!("it started") };
    assert!(error.contains("the handler does not use the parameter `id`"), "{error}");
}

#[test]
fn each_required_member_of_an_object_is_used_if_its_members_are() {
    let database = TestDatabase::sqlite();
    let note = r#""note": { "info": "A note", "type": "object", "fields": {
        "id": { "info": "Its id", "type": "int" }, "title": { "info": "Its title", "type": "?string" },
        "at": { "info": "Where", "type": "object", "fields": {
            "shelf": { "info": "A shelf", "type": "int" }, "place": { "info": "A place", "type": "int" } } },
        "by": { "info": "Who", "type": "?object", "fields": {
            "a": { "info": "A", "type": "int" }, "b": { "info": "B", "type": "int" } } } } },"#;
    for (condition, unused, error) in [
        ("title = :note.title", json!([]), "`note.id`"),
        ("title = :note.title", json!(["note.id"]), "`note.at`"),
        ("id = :note.id and title = :note.at.shelf", json!([]), "`note.at.place`"),
        (
            "id = :note.id and title = :note.at.shelf",
            json!(["note.at.place", "note.title"]),
            "need not use, the member `note.title`",
        ),
        ("id = :note.id and title = :note.at.shelf", json!(["note.at.place"]), ""),
        ("id = :note.id and title = :note.at", json!([]), ""),
        ("id = :note.id and title = :note.at and id = :note.by.a", json!([]), "`note.by.b`"),
        ("title = :note", json!([]), ""),
        (":given.note", json!([]), "`note`"),
    ] {
        let statement = format!("delete from note where id = :id and {condition}");
        let started = start(&database, note, json!({ "handler": { "sql": statement, "unused": unused } }), json!({}));
        let found = started.err().unwrap_or_default();
        assert_eq!(error.is_empty(), found.is_empty(), "{condition}: {found}");
        assert!(found.contains(error), "{condition}: {found}");
    }
}

#[test]
fn a_field_of_only_some_versions_is_used_like_one_of_all_versions() {
    let database = TestDatabase::sqlite();
    let versions = json!({ "versions": { "names": ["1", "2"], "default": "1" } });
    let key = |id: &str| {
        format!(
            r#""key": {{ "info": "A key", "type": "object", "fields": {{
            "title": {{ "info": "A title", "type": "string" }}, "id": {id} }} }},"#
        )
    };
    let of_versions = [r#", "since": "1""#, r#", "since": "2""#, r#", "until": "1""#, ""];
    for more in of_versions {
        let id = format!(r#"{{ "info": "An id", "type": "int"{more} }}"#);
        for (condition, is_used) in [("title = :key.title", false), ("title = :key.title and id = :key.id", true)] {
            let handler = json!({ "handler": { "sql": format!("delete from note where id = :id and {condition}") } });
            let started = start(&database, &key(&id), handler, versions.clone());
            let error = started.err().unwrap_or_default();
            assert_eq!(error.contains("does not use the parameter `key.id`"), !is_used, "{more} {condition}: {error}");
        }
    }
    // One of two equal fields is enough.
    let equal = r#""key": { "info": "A key", "type": "object", "fields": {
        "a": { "info": "A", "type": "int" }, "b": { "info": "B", "type": "int" }, "c": { "info": "C", "type": "int" } },
        "constraints": [{ "equal": ["a", "b"] }, { "equal": ["b", "c"] }] },"#;
    let handler = json!({ "handler": { "sql": "delete from note where id = :id and id = :key.a" } });
    start(&database, equal, handler, json!({})).unwrap();
}

#[test]
fn the_setting_unused_names_parameters_that_exist_and_are_not_used() {
    for (unused, message) in [
        (json!(["p"]), "the method has no parameter `p`"),
        (json!(["q", "id"]), "the handler uses the parameter `id`"),
        (json!("q"), "`unused` must be"),
    ] {
        let handler = json!({ "handler": { "sql": DELETE, "unused": unused } });
        let Err(error) = start(&TestDatabase::sqlite(), Q, handler, json!({})) else { panic!("no error in {unused}") };
        assert!(error.contains(message), "{error}");
    }
}
