//! Tests fields whose names have brackets, such as `x[]` and `x[a][b]`: in queries, forms and multipart bodies, and in
//! every dialect. The script `tests/external/php` compares them with PHP in `php_arrays`.

use serde_json::{Map, Value as Json, json};

use crate::client::{Connection, Request, Response, TestServer};

const FORM: &str = "application/x-www-form-urlencoded";

/// The types of the parameters of the tested method, by the names of the parameters.
fn parameters() -> Map<String, Json> {
    let types = json!({
        "tags": { "type": "?array<string>" },
        "ids": { "type": "?array<int>" },
        "grid": { "type": "?array<array<int>>" },
        "place": { "type": "?object", "fields": {
            "city": { "info": "A city", "type": "string" },
            "zip": { "info": "A code", "type": "?int" },
            "names": { "info": "Other names", "type": "?array<string>" },
            "note": { "info": "Anything", "type": "?any" }
        } },
        "rows": { "type": "?array<object>", "fields": { "id": { "info": "A number", "type": "int" } } },
        "map": { "type": "?object" },
        "loose": { "type": "?loose_array" },
        "objects": { "type": "?loose_array<object>" },
        "list": { "type": "?array<?mixed>" },
        "named": { "type": "?array<Anything>" },
        "by_key": { "type": "?map<any>" },
        "split": { "type": "?array<int>", "format": "explode" },
        "any": { "type": "?any" },
        "count": { "type": "?int" },
        "word": { "type": "?string" },
        "password": { "type": "?int" }
    });
    let with_info = |(name, mut parameter): (&String, Json)| {
        parameter["info"] = json!("A value");
        (name.clone(), parameter)
    };
    types.as_object().unwrap().iter().map(|(name, parameter)| with_info((name, parameter.clone()))).collect()
}

/// Starts a server whose method `POST /x` returns its arguments. The parameters may be in the query or in the body.
fn server(app: Json, repeated: &str) -> TestServer {
    let parameters: Map<_, _> = parameters().into_iter().map(|(name, it)| (format!("ANY@{name}"), it)).collect();
    let named = |(key, mut parameter): (String, Json)| {
        parameter["name"] = json!(key.trim_start_matches("ANY@"));
        (key, parameter)
    };
    let parameters: Map<_, _> = parameters.into_iter().map(named).collect();
    let module = json!({
        "repeated": repeated,
        "schemas": { "Anything": { "info": "Anything", "type": "any" } },
        "/": { "x": { "POST": { "info": "Returns them", "in": parameters } } }
    });
    TestServer::echo(&[("app.json", app), ("x.json", module)])
}

/// Returns the same fields in a query, in a form and in a multipart body. `fields` is urlencoded.
fn requests(path: &str, fields: &str) -> [Request; 3] {
    let decoded: Vec<_> = form_urlencoded::parse(fields.as_bytes()).into_owned().collect();
    let parts: Vec<_> = decoded.iter().map(|(name, value)| (format!("name=\"{name}\""), value.as_bytes())).collect();
    let parts: Vec<_> = parts.iter().map(|(disposition, content)| (disposition.as_str(), *content)).collect();
    [
        Request::new("POST", format!("{path}?{fields}")),
        Request::new("POST", path).body(FORM, fields),
        Request::new("POST", path).multipart(&parts),
    ]
}

/// Returns the arguments that are not null; for an error, its status and the errors of its parameters.
fn outcome(response: &Response) -> Result<Json, (u16, Vec<String>)> {
    let body = response.json();
    let Some(arguments) = body["args"].as_object() else {
        let mut texts = Vec::new();
        for error in body["errors"].as_array().into_iter().flatten() {
            let [parameter, expected, got] = ["parameter", "expected", "got"].map(|name| error[name].as_str());
            texts.push(format!(
                "{}: {}, {}",
                parameter.unwrap_or_default(),
                expected.unwrap_or_default(),
                got.unwrap_or("null")
            ));
        }
        if let Some(limit) = body["limit"]["name"].as_str() {
            texts.push(limit.to_owned());
        }
        return Err((response.status, texts));
    };
    Ok(arguments
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect())
}

/// The value of the parameter, or the status of an error and a part of its text.
type Outcome<'t> = Result<Json, (u16, &'t str)>;

/// Sends the fields of each case in the query, in a form and in a multipart body, and compares the outcomes.
#[track_caller]
fn assert_outcomes(server: &TestServer, cases: Vec<(&str, Outcome<'_>)>) {
    let mut mismatches = String::new();
    for (fields, expected) in cases {
        let expected = expected.map_err(|(status, error)| (status, vec![error.to_owned()]));
        for request in requests("/x", fields) {
            let got = outcome(&server.send(&request));
            if got != expected {
                mismatches.push_str(&format!("{fields}\nexpected {expected:?}\ngot      {got:?}\n{request:?}\n\n"));
            }
        }
    }
    assert!(mismatches.is_empty(), "{mismatches}");
}

#[test]
fn names_with_brackets_are_items_and_members_of_parameters() {
    let server = server(json!({}), "refuse");
    assert_outcomes(
        &server,
        vec![
            ("tags[]=a&tags[]=b", Ok(json!({ "tags": ["a", "b"] }))),
            ("tags%5B%5D=a&tags%5b1%5d=b", Ok(json!({ "tags": ["a", "b"] }))),
            ("tags[0]=a&tags[1]=b", Ok(json!({ "tags": ["a", "b"] }))),
            // Arrays are ordered by their indexes, without the gaps.
            ("tags[1]=b&tags[0]=a", Ok(json!({ "tags": ["a", "b"] }))),
            ("tags[7]=b&tags[-2]=a&tags[]=c", Ok(json!({ "tags": ["a", "b", "c"] }))),
            // A name without brackets adds an item to an array, like empty brackets.
            ("tags=a&tags[]=b&tags=c", Ok(json!({ "tags": ["a", "b", "c"] }))),
            ("tags[3]=b&tags=c", Ok(json!({ "tags": ["b", "c"] }))),
            ("ids[2]=7", Ok(json!({ "ids": [7] }))),
            // Each item is a whole item, also of an array whose items may be sent as one text.
            ("split=1,2", Ok(json!({ "split": [1, 2] }))),
            ("split[]=1&split[]=2", Ok(json!({ "split": [1, 2] }))),
            ("tags[]=[1]&tags[]=a,b", Ok(json!({ "tags": ["[1]", "a,b"] }))),
            ("grid[0][]=1&grid[0][]=2&grid[1][0]=3", Ok(json!({ "grid": [[1, 2], [3]] }))),
            ("grid[][]=1&grid[][]=2", Ok(json!({ "grid": [[1], [2]] }))),
            (
                "place[city]=Paris&place[zip]=75001&place[names][]=P",
                Ok(json!({ "place": { "city": "Paris", "zip": 75001, "names": ["P"] } })),
            ),
            ("place[city]=P&place[river][x]=S", Ok(json!({ "place": { "city": "P", "river": { "x": "S" } } }))),
            ("rows[0][id]=1&rows[1][id]=2", Ok(json!({ "rows": [{ "id": 1 }, { "id": 2 }] }))),
            // A number is the name of a member of an object; in a list or an object, PHP decides.
            ("map[0]=a&map[1]=b", Ok(json!({ "map": { "0": "a", "1": "b" } }))),
            ("map[a]=1&map[]=2", Ok(json!({ "map": { "a": "1", "0": "2" } }))),
            ("loose[0]=a&loose[1]=b", Ok(json!({ "loose": ["a", "b"] }))),
            ("loose[1]=a", Ok(json!({ "loose": { "1": "a" } }))),
            ("loose[k]=a&loose[]=b", Ok(json!({ "loose": { "k": "a", "0": "b" } }))),
            ("any[a][b]=1", Ok(json!({ "any": { "a": { "b": "1" } } }))),
            ("any[0][]=1&any[0][]=2", Ok(json!({ "any": [["1", "2"]] }))),
            // Whatever follows the last bracket is ignored, as in PHP; so is one space in empty brackets.
            ("any[a]b=1&any[+]=2&any[c", Ok(json!({ "any": { "a": "1", "0": "2" } }))),
            ("any[a[b]=1", Ok(json!({ "any": { "a[b": "1" } }))),
            // A name whose bracket is not closed, or that begins with one, is another name.
            ("tags[=a&[tags]=b&tags]=c", Ok(json!({}))),
            ("tags[]=", Ok(json!({ "tags": [""] }))),
        ],
    );
}

#[test]
fn texts_under_names_with_brackets_are_parsed_as_json_only_for_types_that_need_it() {
    let server = server(json!({}), "refuse");
    let cases = vec![
        (r#"loose[]={"a":1}&loose[]=[1,2]"#, Ok(json!({ "loose": [r#"{"a":1}"#, "[1,2]"] }))),
        (r#"loose[k]={"a":1}&loose[l][]=[1]"#, Ok(json!({ "loose": { "k": r#"{"a":1}"#, "l": ["[1]"] } }))),
        (r#"any[]={"a":1}&any[]=[1,2]"#, Ok(json!({ "any": [r#"{"a":1}"#, "[1,2]"] }))),
        (r#"any[k][l]={"a":1}"#, Ok(json!({ "any": { "k": { "l": r#"{"a":1}"# } } }))),
        (r#"list[]={"a":1}&list[1][]=[1]"#, Ok(json!({ "list": [r#"{"a":1}"#, ["[1]"]] }))),
        ("named[]=[1]&by_key[k]=[2]", Ok(json!({ "named": ["[1]"], "by_key": { "k": "[2]" } }))),
        (
            r#"place[city]=P&place[note]={"a":1}&place[names]=["N"]"#,
            Ok(json!({ "place": { "city": "P", "note": r#"{"a":1}"#, "names": ["N"] } })),
        ),
        (r#"objects[k]={"a":1}&objects[l][a]=2"#, Ok(json!({ "objects": { "k": { "a": 1 }, "l": { "a": "2" } } }))),
        // The value of a field without brackets is parsed.
        (r#"loose={"a":1}"#, Ok(json!({ "loose": { "a": 1 } }))),
        ("any=[1,2]", Ok(json!({ "any": [1, 2] }))),
    ];
    let encode = |fields: &str| fields.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
    let encoded: Vec<_> = cases.into_iter().map(|(fields, expected)| (encode(fields), expected)).collect();
    assert_outcomes(&server, encoded.iter().map(|(fields, expected)| (&**fields, expected.clone())).collect());
}

#[test]
fn names_with_brackets_that_do_not_fit_the_type_are_errors_of_the_parameter() {
    let server = server(json!({}), "refuse");
    let whole_number = "a whole number of 64 bits";
    let twice = |parameter: &str, expected: &str| format!("{parameter}: {expected}, several values");
    let (count, word) = (format!("count: {whole_number}, [\"1\"]"), r#"word: a string, {"a":"1"}"#.to_owned());
    let (item, zip) = (format!("ids[1]: {whole_number}, \"x\""), format!("place.zip: {whole_number}, \"x\""));
    // Errors count the items without the gaps between the indexes.
    let row = format!("rows[1].id: {whole_number}, \"x\"");
    let (tags, any_twice) = (twice("tags[0]", "an array"), twice("any", "a value"));
    let place_twice = twice("place[city]", "an object");
    assert_outcomes(
        &server,
        vec![
            ("count[]=1", Err((400, &count))),
            ("word[a]=1", Err((400, &word))),
            ("tags[a]=1", Err((400, r#"tags: an array, {"a":"1"}"#))),
            ("map[]=1", Err((400, r#"map: an object, ["1"]"#))),
            ("password[]=12345", Err((400, "password: a whole number of 64 bits, null"))),
            ("ids[0]=1&ids[1]=x", Err((400, &item))),
            ("rows[0][id]=1&rows[7][id]=x", Err((400, &row))),
            ("place[city]=P&place[zip]=x", Err((400, &zip))),
            ("place[zip]=1", Err((400, "place.city: a string, nothing"))),
            // A parameter that refuses repeated values refuses them item by item.
            ("tags[0]=a&tags[0]=b", Err((400, &tags))),
            ("tags[]=a&tags[0]=b", Err((400, &tags))),
            ("any=a&any[]=b", Err((400, &any_twice))),
            ("any[]=a&any=b", Err((400, &any_twice))),
            ("place[city]=a&place[city][x]=b", Err((400, &twice("place[city][x]", "an object")))),
            ("place[city][x]=a&place[city]=b", Err((400, &place_twice))),
        ],
    );
}

#[test]
fn the_last_value_replaces_earlier_values_where_the_module_uses_it() {
    let server = server(json!({}), "last");
    assert_outcomes(
        &server,
        vec![
            ("tags[0]=a&tags[0]=b", Ok(json!({ "tags": ["b"] }))),
            ("tags=a&tags[]=b", Ok(json!({ "tags": ["b"] }))),
            ("tags[]=a&tags=b", Ok(json!({ "tags": ["b"] }))),
            ("any[a]=1&any[b]=2&any[a][c]=3", Ok(json!({ "any": { "a": { "c": "3" }, "b": "2" } }))),
            ("any[a][b]=1&any[a]=2", Ok(json!({ "any": { "a": "2" } }))),
            ("count[]=1&count=2", Ok(json!({ "count": 2 }))),
            ("count=1&count[]=2", Err((400, r#"count: a whole number of 64 bits, ["2"]"#))),
        ],
    );
}

#[test]
fn values_replace_each_other_in_arrays_with_many_keys() {
    for key in ["k", "", "-"] {
        let fields: String = (1..=40).map(|n| format!("any[{key}{n}]={n}&")).collect();
        let mut expected: Map<_, _> = (1..=40).map(|n| (format!("{key}{n}"), json!(n.to_string()))).collect();
        expected[&format!("{key}30")] = json!("x");
        let fields = format!("{fields}any[{key}30]=x");
        assert_outcomes(&server(json!({}), "last"), vec![(&fields, Ok(json!({ "any": expected })))]);
        let error = format!("any[{key}30]: a value, several values");
        assert_outcomes(&server(json!({}), "refuse"), vec![(&fields, Err((400, &error)))]);
    }
}

#[test]
fn a_body_replaces_the_whole_array_of_the_query() {
    let server = server(json!({}), "refuse");
    let request = Request::new("POST", "/x?any[a]=1&tags[]=q").body(FORM, "any[b]=2");
    assert_eq!(outcome(&server.send(&request)), Ok(json!({ "any": { "b": "2" }, "tags": ["q"] })));
}

#[test]
fn arrays_in_names_are_limited_like_those_in_json() {
    let server = server(json!({ "limits": { "nesting": 3, "items": 2 } }), "refuse");
    assert_outcomes(
        &server,
        vec![
            ("any[a][b][c]=1", Ok(json!({ "any": { "a": { "b": { "c": "1" } } } }))),
            ("any[a][b][c][d]=1", Err((413, "nesting"))),
            ("place[city]=P&place[names]=[[[1]]]", Err((413, "nesting"))),
            ("tags[]=a&tags[]=b", Ok(json!({ "tags": ["a", "b"] }))),
            ("tags[]=a&tags[]=b&tags[]=c", Err((413, "items"))),
            ("any[a][]=1&any[b][]=1&any[c][]=1", Err((413, "items"))),
        ],
    );
    // A name may have many more keys than the limit, which cost nothing.
    let deep = format!("any{}=1", "[a]".repeat(100_000));
    let response = server.send(&Request::new("POST", "/x").body(FORM, deep));
    assert_eq!(outcome(&response), Err((413, vec!["nesting".to_owned()])));
}

#[test]
fn unknown_names_with_brackets_are_refused_as_they_were_sent() {
    let server = server(json!({ "unknown": "refuse" }), "refuse");
    assert_outcomes(
        &server,
        vec![
            ("tags[0]=a", Ok(json!({ "tags": ["a"] }))),
            ("tag[0]=a", Err((400, "tag[0]: no such parameter, null"))),
            ("tags[=a", Err((400, "tags[: no such parameter, null"))),
        ],
    );
}

#[test]
fn bytes_in_brackets_that_are_not_utf8_are_an_error_of_the_parameter() {
    let server = server(json!({}), "refuse");
    for fields in ["any[%ff]=1", "any[a]=%ff", "any[a]=%ff&any[b]=1", "any[b]=1&any[%ff]=1"] {
        for request in [Request::new("POST", format!("/x?{fields}")), Request::new("POST", "/x").body(FORM, fields)] {
            let response = server.send(&request);
            let expected = Err((400, vec!["any: a value, bytes that are not UTF-8".to_owned()]));
            assert_eq!(outcome(&response), expected, "{fields}");
        }
    }
}

#[test]
fn every_dialect_reads_names_with_brackets() {
    let methods = json!({ "m": { "GET::x": { "description": "Returns them", "parameters": {
        "ids": { "description": "Numbers", "type": "array<id>", "optional": true },
        "object": { "description": "An object", "type": "object", "optional": true },
        "chain": { "description": "Numbers", "type": "array<array<id>>", "optional": true }
    } } } });
    let rules = json!({ "User": { "arr": {
        "name": { "name": "name", "type": "array" },
        "uids": { "name": "uids", "type": "array", "format": "explode", "separator": "," }
    } } });
    let app = json!({ "service": { "on": true } });
    let server = TestServer::echo(&[("app.json", app), ("m.json", methods), ("user.json", rules)]);
    let arguments = |response: Response| {
        let body = response.json();
        let arguments = body["args"].as_object().or(body["data"]["args"].as_object()).unwrap().clone();
        Json::from_iter(arguments.into_iter().filter(|(_, value)| !value.is_null()))
    };
    for (target, expected) in [
        ("/m/x?ids[0]=1&ids[1]=2", json!({ "ids": [1, 2] })),
        ("/m/x?object[a]=1", json!({ "object": { "a": "1" } })),
        ("/m/x?chain[0][]=1&chain[0][]=2", json!({ "chain": [[1, 2]] })),
        ("/?service=User.Arr&name[0]=a&name[1]=b", json!({ "name": ["a", "b"] })),
        ("/?service=User.Arr&name[x]=a", json!({ "name": { "x": "a" } })),
        ("/?service=User.Arr&uids[0]=1", json!({ "uids": ["1"] })),
    ] {
        assert_eq!(arguments(server.send(&Request::new("GET", target))), expected, "{target}");
    }
}

#[test]
fn files_are_items_of_arrays_by_their_names() {
    let method = json!({ "info": "Files", "in": {
        "files": { "info": "Files", "type": "?array<file>" },
        "file": { "info": "A file", "type": "?file" },
        "any": { "info": "A value", "type": "?any" }
    } });
    let server = TestServer::echo(&[("x.json", json!({ "/": { "x": { "POST": method } } }))]);
    let named = |name: &str, file: &str| format!("name=\"{name}\"; filename=\"{file}\"");
    for (names, expected) in [
        (&["files[1]", "files[0]"][..], Ok(json!(["1.txt", "0.txt"]))),
        (&["files[]", "files[]"], Ok(json!(["0.txt", "1.txt"]))),
        (&["files[a]"], Err("files")),
        (&["files[0][0]"], Err("files[0]")),
        (&["files[0]", "files[0]"], Err("files[0]")),
        (&["file[]"], Err("file")),
        (&["any[]"], Err("any")),
    ] {
        let parts: Vec<_> = names.iter().enumerate().map(|(n, name)| named(name, &format!("{n}.txt"))).collect();
        let parts: Vec<_> = parts.iter().map(|part| (part.as_str(), &b"text"[..])).collect();
        let response = Connection::open(server.address()).send(&Request::new("POST", "/x").multipart(&parts));
        let body = response.json();
        let files = body["args"]["files"].as_array();
        let got = match files {
            Some(files) => Ok(files.iter().map(|file| file["filename"].clone()).collect()),
            None => Err(body["errors"][0]["parameter"].as_str().unwrap_or_default()),
        };
        assert_eq!(got, expected, "{names:?}: {response:?}");
        server.assert_no_temporary_files();
    }
}
