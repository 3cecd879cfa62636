//! Tests documents for the caller: they describe exactly the methods that this caller may call.

mod cache;
mod rejected_requests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::client::{Request, TestServer};

/// Returns the definition of a method that requires these permissions.
#[allow(clippy::needless_pass_by_value, reason = "they are written where they are passed")]
fn method_with_scope(info: &str, scope: Value, parameters: Value) -> Value {
    json!({ "info": info, "scope": scope, "in": parameters })
}

fn parameter_of_type(r#type: &str, name: &str) -> Value {
    json!({ "info": "Which", "type": r#type, "name": name })
}

/// Returns the definition of an API with public methods, with methods that require a permission, and with methods whose
/// permission depends on a parameter. `options` is the setting with this name.
fn shop_definition(options: &str) -> [(&'static str, Value); 3] {
    let one = |key: &str, r#type, name| json!({ key: parameter_of_type(r#type, name) });
    let two = |one: (&str, &str, &str), other: (&str, &str, &str)| json!({ one.0: parameter_of_type(one.1, one.2), other.0: parameter_of_type(other.1, other.2) });
    let shop = json!({ "/": {
        "open": { "GET": method_with_scope("Everybody", json!([]), json!({})), "POST": method_with_scope("Staff", json!([["staff"]]), json!({})) },
        "plain": { "GET": method_with_scope("One of two", json!([["reader"], ["admin"]]), json!({})) },
        "both": { "GET": method_with_scope("Two of two", json!([["reader", "admin"]]), json!({})) },
        "user/{u}": { "GET": method_with_scope("Oneself", json!([["user[u]"], ["root"]]), one("{u}", "uint", "u")) },
        "position": { "GET": method_with_scope("By position", json!([["user[u]"]]), one("URL#0", "?string(2,4)", "u")) },
        "header": { "GET": method_with_scope("By header", json!([["user[u]"]]), one("HEADER@X-User", "string", "u")) },
        "seat/{r}/{s}": { "GET": method_with_scope("Two at once", json!([["in[r].at[s]!"]]), two(("{r}", "id", "r"), ("{s}", "enum(a|b)", "s"))) },
        "pair/{p}/{q}": {
            "GET": method_with_scope("Two apart", json!([["p[p]", "q[q]"]]), two(("{p}", "id", "p"), ("{q}", "id", "q"))),
            "PUT": method_with_scope("One twice", json!([["p[p]", "q[p]", "reader"]]), two(("{p}", "id", "p"), ("{q}", "id", "q"))),
            "DELETE": method_with_scope("One chain", json!([["in[p].at[q]!", "p[p]"]]), two(("{p}", "id", "p"), ("{q}", "string", "q")))
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

/// The permissions of the callers in the tests. The first caller is anonymous.
const CALLER_PERMISSIONS: [Option<&[&str]>; 14] = [
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

/// The values that the tests use for parameters on which permissions depend.
const PARAMETER_VALUES: [&str; 12] = ["1", "2", "3", "03", "a", "b", "c", "ab", "abcde", "[1]", "1]", "x"];

fn request_with_permissions(method: &str, target: &str, held: Option<&[&str]>) -> Request {
    let request = Request::new(method, target);
    held.map_or(request.clone(), |held| request.scope(held))
}

/// Returns the methods in a document, by URI and HTTP method.
fn methods_in_document(document: &Value) -> BTreeMap<(String, String), Value> {
    let modules = document["modules"].as_object().into_iter().flatten();
    let uris = modules.flat_map(|(_, module)| module["/"].as_object().into_iter().flatten());
    let methods = uris.flat_map(|(uri, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(|(http, method)| ((uri.clone(), http.clone()), method.clone()))
    });
    methods.collect()
}

/// Returns `true` if an alternative in `$when` matches these values.
fn is_met(when: &Value, values: &BTreeMap<&str, String>) -> bool {
    let holds = |way: &Value| {
        way.as_object().unwrap().iter().all(|(name, of)| of.as_array().unwrap().contains(&json!(values[name.as_str()])))
    };
    when.as_array().unwrap().iter().any(holds)
}

const BRACES: [char; 2] = ['{', '}'];

/// Returns the parameters of a method: the key of each parameter, and its name in code.
fn keys_and_names(method: &Value) -> Vec<(&str, &str)> {
    let own = method["in"].as_object().into_iter().flatten();
    own.map(|(key, own)| (key.as_str(), own["name"].as_str().unwrap_or(key.trim_matches(BRACES)))).collect()
}

/// Returns every assignment of values to these parameters.
fn assignments<'m>(parameters: &[(&str, &'m str)]) -> Vec<BTreeMap<&'m str, String>> {
    parameters.iter().fold(vec![BTreeMap::new()], |open, (_, name)| {
        let with = |way: &BTreeMap<&'m str, String>, value: &str| {
            way.clone().into_iter().chain([(*name, value.to_owned())]).collect()
        };
        open.iter().flat_map(|way| PARAMETER_VALUES.map(|value| with(way, value))).collect()
    })
}

/// Returns a request that calls a method with these values.
fn request_for_call(
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
    let request = request_with_permissions(http, &target, held);
    match field {
        Some(value) => request.field("x-user", value),
        None => request,
    }
}

#[test]
fn documents_for_a_caller_list_exactly_the_methods_that_can_be_called() {
    let (public, own) = (TestServer::echo(&shop_definition("public")), TestServer::echo(&shop_definition("own")));
    let all = public.send(&Request::new("OPTIONS", "*")).json();
    let whole = methods_in_document(&all);
    assert_eq!(whole.len(), 12);
    let mut connection = public.connect();
    let mut conditions = 0;
    for held in CALLER_PERMISSIONS {
        let response = public.send(&request_with_permissions("OPTIONS", "/?as=me", held));
        let mut listed_methods = methods_in_document(&response.json());
        for ((uri, http), method) in &whole {
            let parameters = keys_and_names(method);
            let mut is_allowed = |values: &BTreeMap<&str, String>| {
                let status = connection.send(&request_for_call(uri, http, &parameters, values, held)).status;
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
        // With the setting `"options": "own"`, all documents are for the caller, so that `as=me` is not needed.
        let unasked = own.send(&request_with_permissions("OPTIONS", "*", held)).json();
        assert_eq!(methods_in_document(&unasked), methods_in_document(&response.json()));
    }
    assert!(conditions > 10, "only {conditions}");
    assert_eq!(
        methods_in_document(&public.send(&request_with_permissions("OPTIONS", "/", Some(&["reader"]))).json()),
        whole,
        "all of it, unless asked"
    );
}

#[test]
fn all_documents_for_a_caller_describe_the_same_methods() {
    for (options, query) in [("public", "?as=me"), ("own", "")] {
        let server = TestServer::echo(&shop_definition(options));
        for held in CALLER_PERMISSIONS {
            let fetch = |method: &str, target: &str| {
                server.send_until_rendered(&request_with_permissions(method, &format!("{target}{query}"), held))
            };
            let listed_methods: BTreeSet<_> = methods_in_document(&fetch("OPTIONS", "/").json()).into_keys().collect();
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
                let target = format!("/openapi.json?module={module}&{}", query.replace('?', ""));
                let response = server.send_until_rendered(&request_with_permissions("GET", &target, held));
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
            let request = request_with_permissions("OPTIONS", &format!("/{query}"), held);
            let markdown = server.send_until_rendered(&request.field("accept", "text/markdown"));
            let markdown = String::from_utf8(markdown.body).unwrap();
            let whole = methods_in_document(
                &TestServer::echo(&shop_definition("public")).send(&Request::new("OPTIONS", "*")).json(),
            );
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
fn no_document_names_a_method_that_is_hidden_from_the_caller() {
    let names = ["vault", "gold", "ingots", "Bullion", "Treasury", "carat", "nugget", "robbed", "nine", "king"];
    for (options, query) in [("public", "?as=me"), ("own", "")] {
        let server = TestServer::echo(&shop_definition(options));
        let targets = [
            ("OPTIONS", "/"),
            ("OPTIONS", "/open"),
            ("OPTIONS", "/vault"),
            ("OPTIONS", "/vault/gold"),
            ("OPTIONS", "/user/1"),
            ("GET", "/openapi.json"),
            ("GET", "/llms.txt"),
            ("GET", "/llms-full.txt"),
            ("GET", "/.well-known/api-catalog"),
            ("GET", "/docs/"),
            ("GET", "/docs/modules/shop"),
        ];
        // If documents are public, errors suggest similar paths to every caller, so that this request is only sent
        // otherwise.
        let near = (options == "own").then_some(("OPTIONS", "/vualt/gold"));
        let mut found = BTreeSet::new();
        for (method, target) in targets.into_iter().chain(near) {
            for accept in ["application/json", "text/markdown"] {
                let asked = format!("{target}{query}");
                let response = server.send(
                    &request_with_permissions(method, &asked, Some(&["reader", "staff"])).field("accept", accept),
                );
                let text = format!("{response:?}");
                for name in names {
                    // An error may quote the path of the request, which contains no name of a hidden method.
                    assert!(!text.contains(name), "{name} at {method} {asked}: {text}");
                }
                let text = format!(
                    "{:?}",
                    server.send(&request_with_permissions(method, &asked, Some(&["king"])).field("accept", accept))
                );
                found.extend(names.into_iter().filter(|name| text.contains(name)));
            }
        }
        assert_eq!(found.len(), names.len(), "{found:?}");
        let king = server.send(&request_with_permissions("OPTIONS", &format!("/vault{query}"), Some(&["king"])));
        assert_eq!(king.json()["$below"], json!(["/vault/gold"]));
    }
}

/// If a visible service is below a hidden service, the caller can request OPTIONS at the URI of the hidden service. The
/// response does not contain its methods.
#[test]
fn services_below_a_hidden_service_are_visible() {
    let uri = |scope: Value| json!({ "GET": method_with_scope("It", scope, json!({})) });
    let definition = json!({ "/": {
        "a": uri(json!([["x"]])), "a/b": uri(json!([])), "{c}": { "GET": method_with_scope("Any", json!([]), json!({ "{c}": parameter_of_type("string", "c") })) }
    } });
    let server = TestServer::echo(&[("app.json", json!({ "options": "own" })), ("a.json", definition)]);
    let fetch = |target: &str| server.send(&Request::new("OPTIONS", target));
    assert_eq!(fetch("/a/b").status, 200);
    assert_eq!(fetch("/z").json()["/"]["{c}"]["GET"]["info"], "Any");
    // GET at this path does not call the method of the capture, because the static segment is preferred. So OPTIONS
    // must not list that method.
    let above = fetch("/a");
    assert!(above.status == 404 || above.json().get("/").is_none(), "{above:?}");
    assert_eq!(
        server.send(&request_with_permissions("OPTIONS", "/a", Some(&["x"]))).json()["/"]["a"]["GET"]["info"],
        "It"
    );
}

#[test]
fn documents_describe_the_condition_under_which_a_caller_may_call_a_method() {
    let server = TestServer::echo(&shop_definition("own"));
    let held = Some(&["user[12]", "user[13]"][..]);
    let words = "u is 12 or 13";
    let markdown = server.send(&request_with_permissions("OPTIONS", "/user/1", held).field("accept", "text/markdown"));
    let openapi = server.send(&request_with_permissions("GET", "/openapi.json", held)).json();
    let described = openapi["paths"]["/user/{u}"]["get"]["description"].as_str().unwrap().to_owned();
    for text in [String::from_utf8(markdown.body).unwrap(), described] {
        assert!(text.replace('`', "").contains(words), "{text}");
    }
    let root = server.send(&request_with_permissions("OPTIONS", "/user/1", Some(&["root"]))).json();
    assert_eq!(root["/"]["user/{u}"]["GET"]["$when"], json!([{}]), "with any value");
}

#[test]
fn typescript_declarations_for_the_caller_omit_hidden_methods() {
    let server = TestServer::echo(&shop_definition("public"));
    let declares_ingots = |query: &str, permissions: &[&str]| {
        let request = request_with_permissions("GET", &format!("/docs/api.d.ts{query}"), Some(permissions));
        String::from_utf8(server.send(&request).body).unwrap().contains("ingots")
    };
    assert!(declares_ingots("", &[]));
    assert!(declares_ingots("?as=me", &["king"]));
    assert!(!declares_ingots("?as=me", &["nothing"]));
}

/// The links of a page for the caller lead to pages for the caller.
#[test]
fn links_of_pages_for_the_caller_lead_to_pages_for_the_caller() {
    let held = Some(&["king"][..]);
    let links = |server: &TestServer, target: &str| -> Vec<String> {
        let response = server.send(&request_with_permissions("GET", target, held));
        assert_eq!(response.status, 200, "{target}");
        let text = String::from_utf8(response.body).unwrap();
        let is_markdown = !response.head.contains("text/html");
        let (mark, end) = if is_markdown { ("](", ')') } else { ("<a href=\"", '"') };
        text.split(mark).skip(1).map(|behind| behind.split(end).next().unwrap().to_owned()).collect()
    };
    let asking = TestServer::echo(&shop_definition("public"));
    let is_same_for_all_callers = |link: &String| link.contains("swagger/") || link.ends_with("rulebook.js");
    for target in
        ["docs/", "docs/methods/ingots", "docs/search", "docs/search.md", "docs/index.md", "llms.txt", "llms-full.txt"]
    {
        let all = links(&asking, &format!("/{target}?as=me&q=gold"));
        let pages = all.iter().filter(|link| !link.starts_with('#') && !is_same_for_all_callers(link));
        let lost: Vec<_> = pages.filter(|link| !link.contains("?as=me")).collect();
        assert!(lost.is_empty() && !all.is_empty(), "{target}: {lost:?} of {all:?}");
        // Links of a page that was requested without `as=me` do not contain `as=me`. If all documents are for the
        // caller, links never contain it.
        for (server, query) in [
            (&asking, ""),
            (&TestServer::echo(&shop_definition("own")), ""),
            (&TestServer::echo(&shop_definition("own")), "?as=me"),
        ] {
            let all = links(server, &format!("/{target}{query}"));
            assert!(!all.is_empty() && all.iter().all(|link| !link.contains("as=me")), "{target}: {all:?}");
        }
    }
    let html = |target| String::from_utf8(asking.send(&request_with_permissions("GET", target, held)).body).unwrap();
    let page = html("/docs/search?as=me&q=a%26b");
    assert!(page.contains(r#"<input type="hidden" name="as" value="me">"#), "{page}");
    assert!(page.contains(r#"href="search.md?as=me&#38;q=a%26b""#), "{page}");
    assert!(!html("/docs/").contains("type=\"hidden\""));
}

/// A document for the caller contains a definition. An API with this definition has the same documents.
#[test]
fn documents_for_the_caller_contain_a_valid_definition() {
    let server = TestServer::echo(&shop_definition("public"));
    for held in CALLER_PERMISSIONS {
        let listed_methods = server.send(&request_with_permissions("OPTIONS", "/?as=me", held)).json();
        let again = TestServer::echo(&[("all.json", listed_methods.clone())]);
        let mut plain = methods_in_document(&listed_methods);
        plain.values_mut().for_each(|method| drop(method.as_object_mut().unwrap().remove("$when")));
        assert_eq!(methods_in_document(&again.send(&Request::new("OPTIONS", "*")).json()), plain);
    }
}
