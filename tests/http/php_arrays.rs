//! Compares field names with brackets, such as `x[a][]`, with what PHP reads: random names are sent in queries, forms
//! and multipart bodies to parameters of several types, and PHP's function `parse_str` says which value they mean. The
//! script `tests/external/php` runs this test.
//!
//! These differences from PHP are intended, and are not counted as errors:
//! - A parameter that refuses repeated values refuses a value that replaces an earlier one.
//! - If no index is free, because the index 9223372036854775807 is used, the request is refused. PHP ignores the value.
//! - A field called `x`, without brackets, adds an item to an array that other fields contain too. In PHP, the value of
//!   the field replaces the array, or is replaced by it.
//!
//! Outside of brackets, rulebook does not change names: PHP replaces dots and spaces by `_` and removes spaces at the
//! beginning, but the names of parameters can contain all of these characters. The test does not send such names.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use support::random::Numbers;

use crate::client::{Connection, Request, Response, TestServer};

/// The number of random requests, some of which cannot be compared because rulebook differs from PHP on purpose.
const CASES: usize = 15_000;
/// The minimum number of requests that are compared.
const MIN_COMPARED_CASES: usize = 10_000;
/// The number of requests that the test sends on one connection.
const REQUESTS_PER_CONNECTION: usize = 100;

/// Names between brackets, with the brackets.
const KEYS: [&str; 22] = [
    "[]",
    "[]",
    "[]",
    "[0]",
    "[1]",
    "[2]",
    "[a]",
    "[b]",
    "[01]",
    "[-1]",
    "[-0]",
    "[ ]",
    "[ a]",
    "[a ]",
    "[é]",
    "[a.b]",
    "[a b]",
    "[a[b]",
    "[9223372036854775806]",
    "[9223372036854775807]",
    "[9223372036854775808]",
    "[+1]",
];
/// Texts after the brackets.
const TAILS: [&str; 5] = ["]", "[", "[c", "tail", "]["];
/// Values of fields.
const VALUES: [&str; 11] =
    ["", "1", "a", "b c", "é&=+%", "0", "null", "a[]=b", r#"{"a":1}"#, "[1,2]", r#" [{"b":[]}]"#];

/// The types of the parameter `x`, by the path of the method.
const TYPES: [(&str, &str); 5] = [
    ("/rules/array", "array"),
    ("/tree/any", "?any"),
    ("/tree/list", "?array"),
    ("/tree/object", "?object"),
    ("/tree/int", "?int"),
];

/// A random request: the names and values of its fields, the index of its method in [`TYPES`], and the part of the
/// request that contains the fields.
struct Case {
    fields: Vec<(String, &'static str)>,
    method: usize,
    part: u64,
}

fn pick<T: Copy>(numbers: &mut Numbers, items: &[T]) -> T {
    items[usize::try_from(numbers.below(items.len() as u64)).unwrap()]
}

impl Case {
    fn random(numbers: &mut Numbers) -> Self {
        let method = usize::try_from(numbers.below(TYPES.len() as u64)).unwrap();
        let mut fields = Vec::new();
        // Few different keys let values replace each other.
        let few: Vec<&str> = (0..=numbers.below(3)).map(|_| pick(numbers, &KEYS)).collect();
        let uses_few = numbers.below(2) == 0;
        for _ in 0..=numbers.below(6) {
            let mut name = "x".to_owned();
            for _ in 0..pick(numbers, &[0, 1, 1, 1, 1, 2, 2, 3, 4]) {
                name.push_str(pick(numbers, if uses_few { &few } else { &KEYS }));
            }
            if numbers.below(12) == 0 {
                name.push_str(pick(numbers, &TAILS));
            }
            fields.push((name, pick(numbers, &VALUES)));
        }
        Self { fields, method, part: numbers.below(3) }
    }

    fn urlencoded(&self) -> String {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        self.fields.iter().fold(&mut encoded, |encoded, (name, value)| encoded.append_pair(name, value)).finish()
    }

    fn request(&self) -> Request {
        let (path, urlencoded) = (TYPES[self.method].0, self.urlencoded());
        match self.part {
            0 => Request::new("POST", format!("{path}?{urlencoded}")),
            1 => Request::new("POST", path)
                .body("application/x-www-form-urlencoded", urlencoded.replace("%5B", "[").replace("%5D", "]")),
            _ => {
                let parts = self.fields.iter().map(|(name, value)| (format!("name=\"{name}\""), value.as_bytes()));
                let parts: Vec<_> = parts.collect();
                let parts: Vec<_> = parts.iter().map(|(disposition, value)| (disposition.as_str(), *value)).collect();
                Request::new("POST", path).multipart(&parts)
            }
        }
    }

    /// Returns the number of fields that PHP reads as a part of `x`.
    fn count_fields_of_x(&self) -> u64 {
        let is_x = |name: &str| {
            let keys = &name[1..];
            keys.is_empty() || keys.starts_with('[') && keys.contains(']')
        };
        self.fields.iter().filter(|(name, _)| is_x(name)).count() as u64
    }

    /// Returns `true` if a field has a name such as `x[]`.
    fn appends(&self) -> bool {
        self.fields.iter().any(|(name, _)| name.starts_with("x[]") || name.starts_with("x[ ]"))
    }

    /// Returns `true` if rulebook differs from PHP on purpose.
    fn has_intended_difference(&self) -> bool {
        let has = |key: &str| self.fields.iter().any(|(name, _)| name.contains(key));
        let texts = self.fields.iter().filter(|(name, _)| name == "x").count();
        let adds_text = match TYPES[self.method].0 {
            // This module uses the last value, except for several texts.
            "/rules/array" => texts > 1,
            "/tree/list" => texts > 0 && self.fields.len() > 1,
            _ => false,
        };
        (has("[]") || has("[ ]")) && has("[922337203685477580") || adds_text
    }

    /// Returns the argument that the method gets; `None` if the request is refused. `php` is what PHP reads.
    fn expected(&self, php: &Json) -> Option<Json> {
        if php.is_null() {
            return Some(Json::Null);
        }
        let is_repeated = php["count"].as_u64() != Some(self.count_fields_of_x());
        // Texts without brackets that begin like JSON are parsed.
        let parsed = php["json"].as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
        let parsed = parsed.filter(|json| json.is_array() || json.is_object());
        let is_text = php["json"].is_string();
        match TYPES[self.method].0 {
            "/rules/array" if parsed.is_some() => parsed,
            "/tree/any" if parsed.is_some() && !is_repeated => parsed,
            "/tree/list" if parsed.is_some() && !is_repeated => {
                parsed.map(|json| if json.is_array() { json } else { json!([json]) })
            }
            "/tree/object" if parsed.is_some() && !is_repeated => parsed.filter(Json::is_object),
            // A text without brackets is the only item of an array; several such texts are several items.
            "/rules/array" if is_text => Some(json!([php["json"]])),
            "/rules/array" => Some(php["json"].clone()),
            "/tree/list" if is_text && !is_repeated => Some(json!([php["json"]])),
            _ if is_repeated => None,
            "/tree/any" => Some(php["json"].clone()),
            "/tree/list" => Some(php["list"].clone()).filter(|list| !list.is_null()),
            "/tree/object" if is_text || php["json"].is_array() && self.appends() => None,
            "/tree/object" => Some(php["object"].clone()),
            _ => is_text.then(|| php["json"].as_str()?.parse::<i64>().ok().map(Json::from)).flatten(),
        }
    }
}

/// Returns the argument `x` of a response; `None` if the request was refused.
fn argument(response: &Response) -> Option<Json> {
    let body = response.json();
    let arguments = body["args"].as_object().or(body["data"]["args"].as_object())?;
    Some(arguments["x"].clone())
}

fn server() -> TestServer {
    let tree = TYPES.iter().filter_map(|(path, r#type)| {
        let name = path.strip_prefix('/').filter(|path| path.starts_with("tree/"))?;
        let x = json!({ "info": "A value", "type": r#type, "name": "x" });
        Some((name.to_owned(), json!({ "POST": { "info": "Returns it", "in": { "ANY@x": x } } })))
    });
    let tree: Json = tree.collect::<serde_json::Map<_, _>>().into();
    let rules = json!({ "Rules": { "array": { "x": { "name": "x", "type": "array" } } } });
    TestServer::echo(&[("tree.json", json!({ "/": tree })), ("rules.json", rules)])
}

/// Returns the version of PHP, and what PHP reads from each query.
fn parse_with_php(queries: &[String]) -> (String, Vec<Json>) {
    let mut php = Command::new("php")
        .args(["-n", "-d", "max_input_vars=100000", "tests/external/parse_str.php"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("PHP can be started");
    let mut input = php.stdin.take().unwrap();
    let queries = queries.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(queries.as_bytes()).unwrap());
    let mut lines = BufReader::new(php.stdout.take().unwrap()).lines().map(Result::unwrap);
    let version = lines.next().unwrap();
    let results = lines.map(|line| serde_json::from_str(&line).unwrap()).collect();
    writer.join().unwrap();
    assert!(php.wait().unwrap().success());
    (version, results)
}

#[test]
#[ignore = "needs PHP, see tests/external/php"]
#[expect(clippy::print_stdout, reason = "the script shows how many requests were compared")]
fn names_with_brackets_have_the_value_that_php_reads() {
    let mut numbers = Numbers::new();
    let cases: Vec<Case> = (0..CASES).map(|_| Case::random(&mut numbers)).collect();
    let queries: Vec<String> = cases.iter().map(Case::urlencoded).collect();
    let (version, results) = parse_with_php(&queries);
    assert_eq!(results.len(), cases.len());
    let server = server();
    let mut connection = server.connect();
    let (mut compared, mut refused, mut mismatches) = (0, 0, Vec::new());
    for (number, (case, php)) in cases.iter().zip(&results).enumerate() {
        if number % REQUESTS_PER_CONNECTION == 0 {
            connection = Connection::open(server.address());
        }
        let response = connection.send(&case.request());
        assert!(response.status < 500, "{:?}: {response:?}", case.request());
        if case.has_intended_difference() {
            continue;
        }
        compared += 1;
        let (expected, got) = (case.expected(php), argument(&response));
        refused += usize::from(expected.is_none());
        // The texts are compared, because the order of members counts.
        if got.as_ref().map(Json::to_string) != expected.as_ref().map(Json::to_string) {
            mismatches.push(format!("{:?}\nexpected {expected:?}\ngot {got:?}\n{response:?}", case.request()));
        }
    }
    println!("PHP {version}: {compared} of {CASES} requests compared, of which {refused} are refused");
    let count = mismatches.len();
    assert!(count == 0, "{count} differences:\n{}", mismatches.into_iter().take(5).collect::<Vec<_>>().join("\n\n"));
    assert!(compared >= MIN_COMPARED_CASES, "too few requests were compared: {compared}");
}
