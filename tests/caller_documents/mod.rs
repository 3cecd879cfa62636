//! Documents for the caller describe exactly the methods that the caller may call.

mod cache;
mod rejected_requests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::client::{Request, TestServer};

/// Returns a method that requires these permissions.
#[allow(clippy::needless_pass_by_value, reason = "they are written where they are passed")]
fn method(info: &str, scope: Value, parameters: Value) -> Value {
    json!({ "info": info, "scope": scope, "in": parameters })
}

fn parameter(r#type: &str, name: &str) -> Value {
    json!({ "info": "Which", "type": r#type, "name": name })
}

/// Returns public methods, and methods with plain and with contextual permissions.
fn shop(options: &str) -> [(&'static str, Value); 3] {
    let one = |key: &str, r#type, name| json!({ key: parameter(r#type, name) });
    let two = |one: (&str, &str, &str), other: (&str, &str, &str)| json!({ one.0: parameter(one.1, one.2), other.0: parameter(other.1, other.2) });
    let shop = json!({ "/": {
        "open": { "GET": method("Everybody", json!([]), json!({})), "POST": method("Staff", json!([["staff"]]), json!({})) },
        "plain": { "GET": method("One of two", json!([["reader"], ["admin"]]), json!({})) },
        "both": { "GET": method("Two of two", json!([["reader", "admin"]]), json!({})) },
        "user/{u}": { "GET": method("Oneself", json!([["user[u]"], ["root"]]), one("{u}", "uint", "u")) },
        "position": { "GET": method("By position", json!([["user[u]"]]), one("URL#0", "?string(2,4)", "u")) },
        "header": { "GET": method("By header", json!([["user[u]"]]), one("HEADER@X-User", "string", "u")) },
        "seat/{r}/{s}": { "GET": method("Two at once", json!([["in[r].at[s]!"]]), two(("{r}", "id", "r"), ("{s}", "enum(a|b)", "s"))) },
        "pair/{p}/{q}": {
            "GET": method("Two apart", json!([["p[p]", "q[q]"]]), two(("{p}", "id", "p"), ("{q}", "id", "q"))),
            "PUT": method("One twice", json!([["p[p]", "q[p]", "reader"]]), two(("{p}", "id", "p"), ("{q}", "id", "q"))),
            "DELETE": method("One chain", json!([["in[p].at[q]!", "p[p]"]]), two(("{p}", "id", "p"), ("{q}", "string", "q")))
        }
    } });
    let vault = json!({ "info": "Treasury", "/": { "vault/gold": {
        "GET": { "info": "Bullion", "id": "ingots", "scope": [["king"]],
            "in": { "GET@carat": { "info": "Purity", "type": "enum(nine|eighteen)", "name": "carat" } },
            "out": { "nugget": { "info": "Heavy", "type": "int" } },
            "errors": { "robbed": { "status": 410, "info": "Too late" } } }
    } } });
    [("app.json", json!({ "title": "Shop", "options": options })), ("shop.json", shop), ("vault.json", vault)]
}

/// The permissions of the callers; the first caller is anonymous.
const HELD: [Option<&[&str]>; 14] = [
    None,
    Some(&[]),
    Some(&["reader"]),
    Some(&["admin", "staff", "other"]),
    Some(&["reader", "admin"]),
    Some(&["user[2]", "user[03]", "user[ab]", "user[abcde]", "user[]", "user[1"]),
    Some(&["user[1]", "root"]),
    Some(&["in[1].at[a]!", "in[1].at[c]!", "in[x].at[b]!", "in[2].at[b]!", "in[2].at[b]"]),
    Some(&["p[1]", "p[2]", "q[2]", "q[3]"]),
    Some(&["p[1]", "q[1]", "reader", "p[3]"]),
    Some(&["p[1]", "q[2]", "reader"]),
    Some(&["p[1]", "in[1].at[2]!", "in[2].at[3]!"]),
    Some(&["p[3]", "in[1].at[2]!"]),
    Some(&["user[[1]]", "user[1][2]", "USER[1]", " user[1]", "user[1] "]),
];

/// The values of variables that are tried.
const VALUES: [&str; 12] = ["1", "2", "3", "03", "a", "b", "c", "ab", "abcde", "[1]", "1]", "x"];

fn by(method: &str, target: &str, held: Option<&[&str]>) -> Request {
    let request = Request::new(method, target);
    held.map_or(request.clone(), |held| request.scope(held))
}

/// Returns the methods of a definition, by URI and HTTP method.
fn listed(document: &Value) -> BTreeMap<(String, String), Value> {
    let modules = document["modules"].as_object().into_iter().flatten();
    let uris = modules.flat_map(|(_, module)| module["/"].as_object().into_iter().flatten());
    let methods = uris.flat_map(|(uri, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(|(http, method)| ((uri.clone(), http.clone()), method.clone()))
    });
    methods.collect()
}

/// Returns `true` if one of the cases of `$when` matches these values.
fn is_met(when: &Value, values: &BTreeMap<&str, String>) -> bool {
    let holds = |way: &Value| {
        way.as_object().unwrap().iter().all(|(name, of)| of.as_array().unwrap().contains(&json!(values[name.as_str()])))
    };
    when.as_array().unwrap().iter().any(holds)
}

const BRACES: [char; 2] = ['{', '}'];

/// Returns the parameters of a method: their keys and their names in code.
fn parameters(method: &Value) -> Vec<(&str, &str)> {
    let own = method["in"].as_object().into_iter().flatten();
    own.map(|(key, own)| (key.as_str(), own["name"].as_str().unwrap_or(key.trim_matches(BRACES)))).collect()
}

/// Returns every combination of these values for the parameters.
fn assignments<'m>(parameters: &[(&str, &'m str)]) -> Vec<BTreeMap<&'m str, String>> {
    parameters.iter().fold(vec![BTreeMap::new()], |open, (_, name)| {
        let with = |way: &BTreeMap<&'m str, String>, value: &str| {
            way.clone().into_iter().chain([(*name, value.to_owned())]).collect()
        };
        open.iter().flat_map(|way| VALUES.map(|value| with(way, value))).collect()
    })
}

/// Returns a call with these values.
fn call(
    uri: &str,
    http: &str,
    parameters: &[(&str, &str)],
    values: &BTreeMap<&str, String>,
    held: Option<&[&str]>,
) -> Request {
    let encoded = |name: &str| values[name].replace('[', "%5B").replace(']', "%5D");
    let mut target = format!("/{uri}");
    let mut field = None;
    for (key, name) in parameters {
        match *key {
            "URL#0" => target.extend(["/", &encoded(name)]),
            header if header.starts_with("HEADER@") => field = Some(&values[*name]),
            capture => target = target.replace(capture, &encoded(name)),
        }
    }
    let request = by(http, &target, held);
    match field {
        Some(value) => request.field("x-user", value),
        None => request,
    }
}

#[test]
fn the_listed_methods_are_those_that_can_be_called() {
    let (public, own) = (TestServer::echo(&shop("public")), TestServer::echo(&shop("own")));
    let all = public.send(&Request::new("OPTIONS", "*")).json();
    let whole = listed(&all);
    assert_eq!(whole.len(), 12);
    let mut connection = public.connect();
    let mut conditions = 0;
    for held in HELD {
        let response = public.send(&by("OPTIONS", "/?as=me", held));
        let mut listed_methods = listed(&response.json());
        for ((uri, http), method) in &whole {
            let parameters = parameters(method);
            let mut is_allowed = |values: &BTreeMap<&str, String>| {
                let status = connection.send(&call(uri, http, &parameters, values, held)).status;
                !matches!(status, 401 | 403)
            };
            let ways = assignments(&parameters);
            let allowed: BTreeSet<_> = ways.iter().filter(|values| is_allowed(values)).collect();
            let listed = listed_methods.remove(&(uri.clone(), http.clone()));
            assert_eq!(listed.is_some(), !allowed.is_empty(), "{http} {uri} by {held:?}: {allowed:?}");
            let Some(listed) = listed else { continue };
            assert_eq!(listed["scope"], method["scope"], "as it is written");
            let contextual =
                parameters.iter().any(|(_, name)| method["scope"].to_string().contains(&format!("[{name}]")));
            assert_eq!(listed.get("$when").is_some(), contextual, "{listed:#}");
            let Some(when) = listed.get("$when") else { continue };
            conditions += 1;
            for values in &ways {
                let context = || format!("{http} {uri} with {values:?} by {held:?}: {when}");
                assert_eq!(is_met(when, values), allowed.contains(values), "{}", context());
            }
        }
        assert!(listed_methods.is_empty(), "{listed_methods:?}");
        // If all documents are for the caller, `as=me` is not needed.
        let unasked = own.send(&by("OPTIONS", "*", held)).json();
        assert_eq!(listed(&unasked), listed(&response.json()));
    }
    assert!(conditions > 10, "only {conditions}");
    assert_eq!(listed(&public.send(&by("OPTIONS", "/", Some(&["reader"]))).json()), whole, "all of it, unless asked");
}

#[test]
fn all_documents_describe_the_same_methods() {
    for (options, query) in [("public", "?as=me"), ("own", "")] {
        let server = TestServer::echo(&shop(options));
        for held in HELD {
            let fetch = |method: &str, target: &str| server.send(&by(method, &format!("{target}{query}"), held));
            let listed_methods: BTreeSet<_> = listed(&fetch("OPTIONS", "/").json()).into_keys().collect();
            let document = fetch("GET", "/openapi.json").json();
            let mut described = BTreeSet::new();
            for (path, item) in document["paths"].as_object().unwrap() {
                for http in ["get", "post", "put", "delete", "patch"] {
                    if item.get(http).is_some() {
                        let path = if path.starts_with("/position") { "/position" } else { path };
                        described.insert((path[1..].to_owned(), http.to_uppercase()));
                    }
                }
            }
            assert_eq!(described, listed_methods, "OpenAPI for {held:?}");
            let mut paths = Vec::new();
            for module in ["shop", "vault"] {
                let response =
                    server.send(&by("GET", &format!("/openapi.json?module={module}&{}", query.replace('?', "")), held));
                let is_listed = document["tags"].as_array().unwrap().iter().any(|tag| tag["name"] == module);
                assert_eq!(response.status, if is_listed { 200 } else { 400 }, "{module} for {held:?}");
                paths.extend(
                    response.json()["paths"]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(path, item)| (path.clone(), item.clone())),
                );
            }
            assert_eq!(json!(paths.into_iter().collect::<Map<_, _>>()), document["paths"], "modules for {held:?}");
            let llms = String::from_utf8(fetch("GET", "/llms.txt").body).unwrap();
            let markdown = server.send(&by("OPTIONS", &format!("/{query}"), held).field("accept", "text/markdown"));
            let markdown = String::from_utf8(markdown.body).unwrap();
            let whole = listed(&TestServer::echo(&shop("public")).send(&Request::new("OPTIONS", "*")).json());
            for (uri, http) in whole.keys() {
                let is_listed = listed_methods.contains(&(uri.clone(), http.clone()));
                let path = uri.replace(['{', '}'], "1").replace("1u1", "1");
                let response = fetch("OPTIONS", &format!("/{path}"));
                let allow = response.field("allow").unwrap_or_default().split(", ").any(|own| own == http);
                assert_eq!(allow, is_listed, "Allow at {path} for {held:?}: {response:?}");
                let of_uri = listed_methods.iter().any(|(own, _)| own == uri);
                assert_eq!(response.status, if of_uri { 200 } else { 404 }, "{path} for {held:?}: {response:?}");
                if of_uri {
                    assert_eq!(response.json()["/"][uri].get(http).is_some(), is_listed);
                }
                for text in [&markdown, &llms] {
                    assert_eq!(text.contains(&format!("/{uri}`")), of_uri, "{uri} for {held:?} in {text}");
                }
            }
        }
    }
}

#[test]
fn hidden_methods_are_named_in_no_document() {
    let names = ["vault", "gold", "ingots", "Bullion", "Treasury", "carat", "nugget", "robbed", "nine", "king"];
    for (options, query) in [("public", "?as=me"), ("own", "")] {
        let server = TestServer::echo(&shop(options));
        let targets = [
            ("OPTIONS", "/"),
            ("OPTIONS", "/open"),
            ("OPTIONS", "/vault"),
            ("OPTIONS", "/vault/gold"),
            ("OPTIONS", "/user/1"),
            ("GET", "/openapi.json"),
            ("GET", "/llms.txt"),
            ("GET", "/docs/"),
            ("GET", "/docs/modules/shop"),
        ];
        // If documents are public, similar paths are suggested.
        let near = (options == "own").then_some(("OPTIONS", "/vualt/gold"));
        let mut found = BTreeSet::new();
        for (method, target) in targets.into_iter().chain(near) {
            for accept in ["application/json", "text/markdown"] {
                let asked = format!("{target}{query}");
                let response = server.send(&by(method, &asked, Some(&["reader", "staff"])).field("accept", accept));
                let text = format!("{response:?}");
                for name in names {
                    // The path of the request may be quoted.
                    assert!(!text.contains(name), "{name} at {method} {asked}: {text}");
                }
                let text = format!("{:?}", server.send(&by(method, &asked, Some(&["king"])).field("accept", accept)));
                found.extend(names.into_iter().filter(|name| text.contains(name)));
            }
        }
        assert_eq!(found.len(), names.len(), "{found:?}");
        let king = server.send(&by("OPTIONS", &format!("/vault{query}"), Some(&["king"])));
        assert_eq!(king.json()["$below"], json!(["/vault/gold"]));
    }
}

/// If a hidden service has a visible one below it, the caller can list the URI of the hidden one, but not its methods.
#[test]
fn services_below_a_hidden_service_are_found() {
    let uri = |scope: Value| json!({ "GET": method("It", scope, json!({})) });
    let definition = json!({ "/": {
        "a": uri(json!([["x"]])), "a/b": uri(json!([])), "{c}": { "GET": method("Any", json!([]), json!({ "{c}": parameter("string", "c") })) }
    } });
    let server = TestServer::echo(&[("app.json", json!({ "options": "own" })), ("a.json", definition)]);
    let fetch = |target: &str| server.send(&Request::new("OPTIONS", target));
    assert_eq!(fetch("/a/b").status, 200);
    assert_eq!(fetch("/z").json()["/"]["{c}"]["GET"]["info"], "Any");
    // GET at this path would be rejected: the path does not match the capture.
    let above = fetch("/a");
    assert!(above.status == 404 || above.json().get("/").is_none(), "{above:?}");
    assert_eq!(server.send(&by("OPTIONS", "/a", Some(&["x"]))).json()["/"]["a"]["GET"]["info"], "It");
}

#[test]
fn the_condition_of_a_method_is_described() {
    let server = TestServer::echo(&shop("own"));
    let held = Some(&["user[12]", "user[13]"][..]);
    let words = "`u` is `12` or `13`";
    let markdown = server.send(&by("OPTIONS", "/user/1", held).field("accept", "text/markdown"));
    let openapi = server.send(&by("GET", "/openapi.json", held)).json();
    let described = openapi["paths"]["/user/{u}"]["get"]["description"].as_str().unwrap().to_owned();
    for text in [String::from_utf8(markdown.body).unwrap(), described] {
        assert!(text.contains(words), "{text}");
    }
    let root = server.send(&by("OPTIONS", "/user/1", Some(&["root"]))).json();
    assert_eq!(root["/"]["user/{u}"]["GET"]["$when"], json!([{}]), "with any value");
}

/// Links of pages for the caller lead to pages for the caller.
#[test]
fn links_of_pages_keep_their_audience() {
    let held = Some(&["king"][..]);
    let links = |server: &TestServer, target: &str| -> Vec<String> {
        let response = server.send(&by("GET", target, held));
        assert_eq!(response.status, 200, "{target}");
        let text = String::from_utf8(response.body).unwrap();
        let is_markdown = !response.head.contains("text/html");
        let (mark, end) = if is_markdown { ("](", ')') } else { ("<a href=\"", '"') };
        text.split(mark).skip(1).map(|behind| behind.split(end).next().unwrap().to_owned()).collect()
    };
    let asking = TestServer::echo(&shop("public"));
    for target in ["docs/", "docs/methods/ingots", "docs/search", "docs/search.md", "docs/index.md", "llms.txt"] {
        let all = links(&asking, &format!("/{target}?as=me&q=gold"));
        let pages = all.iter().filter(|link| !link.starts_with('#') && !link.contains("swagger/"));
        let lost: Vec<_> = pages.filter(|link| !link.contains("?as=me")).collect();
        assert!(lost.is_empty() && !all.is_empty(), "{target}: {lost:?} of {all:?}");
        // Without `as=me` links do not have it, and if all documents are for the caller they do not need it.
        for (server, query) in
            [(&asking, ""), (&TestServer::echo(&shop("own")), ""), (&TestServer::echo(&shop("own")), "?as=me")]
        {
            let all = links(server, &format!("/{target}{query}"));
            assert!(!all.is_empty() && all.iter().all(|link| !link.contains("as=me")), "{target}: {all:?}");
        }
    }
    let html = |target| String::from_utf8(asking.send(&by("GET", target, held)).body).unwrap();
    let page = html("/docs/search?as=me&q=a%26b");
    assert!(page.contains(r#"<input type="hidden" name="as" value="me">"#), "{page}");
    assert!(page.contains(r#"href="search.md?as=me&#38;q=a%26b""#), "{page}");
    assert!(!html("/docs/").contains("type=\"hidden\""));
}

/// The definition that a document contains can be loaded, and has the same documents.
#[test]
fn documents_for_the_caller_are_a_valid_definition() {
    let server = TestServer::echo(&shop("public"));
    for held in HELD {
        let listed_methods = server.send(&by("OPTIONS", "/?as=me", held)).json();
        let again = TestServer::echo(&[("all.json", listed_methods.clone())]);
        let mut plain = listed(&listed_methods);
        plain.values_mut().for_each(|method| drop(method.as_object_mut().unwrap().remove("$when")));
        assert_eq!(listed(&again.send(&Request::new("OPTIONS", "*")).json()), plain);
    }
}
