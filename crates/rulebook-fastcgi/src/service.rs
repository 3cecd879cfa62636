//! Finds the names of a service that PhalApi reads in a request, so that PHP runs the service whose permissions were
//! checked, and no other.
//!
//! PhalApi takes the service from the member `service` of `$_REQUEST`, or else from `s`. PHP creates this array from
//! the query, then from a form, whose fields have priority, and possibly from cookies; PhalApi 2 adds the members of a
//! JSON object in the body, whatever its media type is. PhalApi 1 knows no namespaces, and `s` only since its last
//! version, 1.4.2.

use std::borrow::Cow;

use rulebook::ApiError;
use rulebook::error::{ErrorKind, ServiceNameError};

/// The namespace of services whose names do not begin with one.
pub const NAMESPACE: &str = "App";
/// The method of services whose names consist only of a class.
const DEFAULT_METHOD: &str = "Index";
pub const MAX_QUOTED: usize = 100;

/// The fields from which PhalApi takes the service. It reads the second one only if there is no first one.
pub const SERVICE: &str = "service";
const SHORT_SERVICE: &str = "s";

/// Returns the field of a service that has this name in PHP.
pub fn service_field(key: &str) -> Option<&'static str> {
    [SERVICE, SHORT_SERVICE].into_iter().find(|field| *field == key)
}

/// Returns the name that PHP gives to a field with this decoded name: without blanks at the beginning, up to a NUL or a
/// bracket, and with `_` for blanks and dots. Also returns `true` if a bracket follows, so that the value is an array.
pub fn php_name(name: &str) -> (Cow<'_, str>, bool) {
    let name = name.trim_start_matches(' ');
    let name = name.split('\0').next().unwrap_or_default();
    let (key, is_array) = name.split_once('[').map_or((name, false), |(key, _)| (key, true));
    let key = if key.contains([' ', '.']) { key.replace([' ', '.'], "_").into() } else { Cow::Borrowed(key) };
    (key, is_array)
}

/// A name of a service in a request.
#[derive(Debug)]
struct GivenName {
    field: &'static str,
    /// The name; `None` if the value is not a text.
    name: Option<String>,
    is_in_query: bool,
}

/// The names of a service in a request.
#[derive(Debug, Default)]
pub struct GivenNames(Vec<GivenName>);

impl GivenNames {
    /// Adds the fields of a query or a form. The texts are decoded.
    pub fn add_fields<'f>(&mut self, fields: impl Iterator<Item = (Cow<'f, str>, Cow<'f, str>)>, is_in_query: bool) {
        for (name, value) in fields {
            let (key, is_array) = php_name(&name);
            if let Some(field) = service_field(&key) {
                self.0.push(GivenName { field, name: (!is_array).then(|| value.into_owned()), is_in_query });
            }
        }
    }

    /// Adds the members of a body if it may be a JSON object. In an object that PHP parses, these are all members with
    /// the name of a field. PHP reads nothing from other texts, which it is not necessary to recognise here.
    pub fn add_json(&mut self, body: &[u8]) {
        if body.trim_ascii_start().first() != Some(&b'{') {
            return;
        }
        let (mut rest, mut depth) = (body, 0);
        while let Some(byte) = rest.first() {
            let mut len = 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' => {
                    let Some(key) = json_string(rest) else { return };
                    len = key.len();
                    let value = rest[len..].trim_ascii_start().strip_prefix(b":");
                    if depth == 1
                        && let Some(value) = value
                        && let Some(field) = decoded(key).as_deref().and_then(service_field)
                    {
                        let name = json_string(value.trim_ascii_start()).and_then(decoded);
                        self.0.push(GivenName { field, name, is_in_query: false });
                    }
                }
                _ => {}
            }
            rest = &rest[len..];
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the field that must precede the query so that PHP runs this service, or `None` if the query needs none.
    /// If `service` names the service wherever PHP reads it, nothing changes, because a signature can depend on the
    /// text. A name in the body is repeated in the query: PHP ignores a body that is longer than `post_max_size`.
    /// `is_found` is `true` if PHP runs the service without a name, and `is_second` for PhalApi 2.
    /// Fails if PHP could run another service.
    pub fn missing_field(
        &self,
        service: &str,
        is_found: bool,
        is_second: bool,
    ) -> Result<Option<(&'static str, String)>, ApiError> {
        let of = |field| self.0.iter().filter(move |given| given.field == field);
        let is_right =
            |given: &GivenName| given.name.as_ref().is_some_and(|name| is_same_service(name, service, is_second));
        let field = match (of(SERVICE).count(), of(SHORT_SERVICE).count()) {
            (0, 0) if is_found => return Ok(None),
            (0, 0) => return Ok(Some((SERVICE, service.to_owned()))),
            // `service` has priority over a field `s` with another meaning, or that PHP does not know.
            (0, _) if !is_second || !of(SHORT_SERVICE).all(is_right) => {
                return Ok(Some((SERVICE, service.to_owned())));
            }
            (0, _) => SHORT_SERVICE,
            _ => SERVICE,
        };
        if let Some(wrong) = of(field).find(|given| !is_right(given)) {
            return Err(wrong_service(wrong.name.as_deref().unwrap_or("[]")));
        }
        if of(field).any(|given| given.is_in_query) {
            return Ok(None);
        }
        Ok(of(field).find_map(|given| given.name.clone()).map(|name| (field, name)))
    }
}

/// Returns the string of JSON at the beginning of a text, with its quotation marks.
fn json_string(text: &[u8]) -> Option<&[u8]> {
    let mut end = text.starts_with(b"\"").then_some(1)?;
    while *text.get(end)? != b'"' {
        end += if text[end] == b'\\' { 2 } else { 1 };
    }
    Some(&text[..=end])
}

fn decoded(json_string: &[u8]) -> Option<String> {
    serde_json::from_slice(json_string).ok()
}

/// Returns `true` if PhalApi runs the service for a name: the namespace `App` and the method `Index` are optional,
/// further parts are ignored, and the case of the class's first letter and of the method does not matter. Versions of
/// PhalApi that do not add the method run nothing. PhalApi 1 reads the namespace as the class.
fn is_same_service(name: &str, service: &str, is_second: bool) -> bool {
    let parts = |name: &str| {
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        let (namespace, class, method) = match (parts.next(), parts.next()) {
            (None, _) => (NAMESPACE, first, DEFAULT_METHOD),
            (Some(class), Some(method)) if is_second => (first, class, method),
            (Some(method), _) => (NAMESPACE, first, method),
        };
        let mut class = class.to_owned();
        if let Some(first) = class.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        (namespace.to_owned(), class, method.to_ascii_lowercase())
    };
    parts(name) == parts(service)
}

/// Returns the error for a request with which PHP could run another service than the one whose permissions were
/// checked.
fn wrong_service(name: &str) -> ApiError {
    let name = name.chars().take(MAX_QUOTED).collect();
    let error = ApiError::new(ErrorKind::InvalidServiceName { name, error: ServiceNameError::Illegal });
    error.with_log("the request names another service, which the PhalApi version of `catalogue` could run")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use serde_json::Value as Json;

    use super::*;

    /// Prints `service` and `s` as PHP reads them, for each query in a line of its input.
    const SCRIPT: &str = "while (($line = fgets(STDIN)) !== false) { parse_str(rtrim($line, \"\\n\"), $fields);
    echo json_encode([$fields['service'] ?? null, $fields['s'] ?? null], JSON_INVALID_UTF8_SUBSTITUTE), \"\\n\"; }";

    /// Returns a query whose fields have names that resemble those of a service.
    fn query() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "service", "s", "%73", "e", "rvice", "+", "%20", "%09", "%00", "[", "]", "[]", "%5B", "%5D", ".", "_", "%",
            "%2", "%zz", "%C3", "S", "x", ";", "%26", "%3D",
        ]);
        let name = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
        let value =
            prop::sample::select(vec!["User.Login", "user.login", "App.User.Login", "Admin.Wipe", "", "%00", "%ff"]);
        let field = (name, prop::option::weighted(0.9, value)).prop_map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name,
        });
        prop::collection::vec(field, 0..5).prop_map(|fields| fields.join("&"))
    }

    /// The same, for each body in a line.
    const JSON_SCRIPT: &str = "while (($line = fgets(STDIN)) !== false) {
    $fields = (array) json_decode(rtrim($line, \"\\n\"), true);
    echo json_encode([$fields['service'] ?? null, $fields['s'] ?? null], JSON_PARTIAL_OUTPUT_ON_ERROR), \"\\n\"; }";

    /// Returns a text that resembles a JSON object with the names of a service.
    fn body() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            r#""service""#,
            r#""s""#,
            r#""\u0073ervice""#,
            r#""\u0053""#,
            r#""serv\u00""#,
            r#""a\"b""#,
            r#""""#,
            "service",
            "'s'",
        ]);
        let value = prop::sample::select(vec![
            r#""User.Login""#,
            r#""User.Login""#,
            r#""User.Login""#,
            r#""App.user.login.x""#,
            r#""App.user.login.x""#,
            r#""Admin.Wipe""#,
            r#""Admin\u002eWipe""#,
            r#""\ud800""#,
            r#"{"service":"Admin.Wipe"}"#,
            r#"["s",{"s":":"}]"#,
            "[",
            "1e999",
            "TRUE",
            "nUll",
            "-",
            "01",
        ]);
        let blank = || prop::sample::select(vec!["", "", " ", "\t", "\r"]);
        let member =
            (blank(), key, blank(), value, blank()).prop_map(|(a, key, b, value, c)| format!("{a}{key}{b}:{c}{value}"));
        let end = prop::sample::select(vec!["}", "}", "}", "} ", "", ",}", "}}"]);
        let deep = prop::sample::select(vec!["", "", "deep"]);
        (prop::collection::vec(member, 0..4), end, deep).prop_map(|(mut members, end, deep)| {
            if !deep.is_empty() {
                members.push(format!("\"deep\":{}{}", "[".repeat(200), "]".repeat(200)));
            }
            format!("{{{}{end}", members.join(","))
        })
    }

    /// Asserts that PHP runs the checked service in each line, if it runs one.
    fn assert_found(script: &str, lines: impl Strategy<Value = String>, add: impl Fn(&mut GivenNames, &str)) {
        let mut runner = TestRunner::default();
        let lines: Vec<String> = (0..20_000).map(|_| lines.new_tree(&mut runner).unwrap().current()).collect();
        let command = Command::new("php").args(["-r", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut php) = command else { return support::skip("the command line of PHP is not installed") };
        let (mut input, text) = (php.stdin.take().unwrap(), lines.join("\n") + "\n");
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
        let output = php.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let read: Vec<Json> =
            output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        assert_eq!(read.len(), lines.len());
        let mut found = 0;
        for (line, read) in lines.iter().zip(&read) {
            let mut given = GivenNames::default();
            add(&mut given, line);
            let field = given.missing_field("User.Login", false, true);
            // PHP runs the service that is named, with the field that is added to the beginning of the query.
            let runs = match (&read[0], &read[1], &field) {
                (_, _, Err(_)) | (Json::Null, _, Ok(Some((SERVICE, _)))) => continue,
                (Json::Null, Json::Null, Ok(Some((SHORT_SERVICE, name)))) => name,
                (Json::Null, name, Ok(_)) | (name, _, Ok(_)) => name.as_str().unwrap_or_default(),
            };
            found += 1;
            assert!(is_same_service(runs, "User.Login", true), "{line:?}: PHP reads {read}, and {field:?} is added");
        }
        assert!(found > 300, "{found}");
    }

    #[test]
    fn php_reads_no_name_that_is_not_found() {
        assert_found(SCRIPT, query(), |given, query| given.add_fields(form_urlencoded::parse(query.as_bytes()), true));
        assert_found(JSON_SCRIPT, body(), |given, body| given.add_json(body.as_bytes()));
    }

    #[test]
    fn texts_that_are_no_json_name_no_service() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(130), "]".repeat(130));
        for body in ["{pay}", "{'a':1}", r#"{"a":1,}"#, r#"{"a":"\ud800"}"#, r#"{"a":1"#, "{", r#"{"a"#, &deep] {
            let mut given = GivenNames::default();
            given.add_json(body.as_bytes());
            assert!(given.is_empty(), "{body}: {given:?}");
        }
    }

    #[test]
    fn names_of_a_service_may_have_a_namespace_and_differ_in_case() {
        for (name, service, is_same) in [
            ("User.Login", "User.login", true),
            ("user.LOGIN", "User.login", true),
            ("App.User.Login", "User.login", true),
            ("User.Login", "App.User.login", true),
            ("uSer.login", "User.login", false),
            ("app.User.Login", "User.login", false),
            ("Portal.User.Login", "User.login", false),
            ("Portal.User.Login", "Portal.User.login", true),
            ("User", "User.login", false),
            ("Site", "Site.index", true),
            ("site", "App.Site.Index", true),
            ("App.Site.Index.x", "Site.index", true),
            ("App.Site.Index.x.y", "Site.index", true),
            ("Site.Index.x", "Site.index", false),
            ("App.Site", "Site.index", false),
            ("App.Index", "Site.index", false),
            ("User.Login.X", "User.login", false),
            ("", "User.login", false),
            ("", "Site.index", false),
            (".Site", "Site.index", false),
            ("User.Login\0", "User.login", false),
        ] {
            assert_eq!(is_same_service(name, service, true), is_same, "{name} {service}");
        }
        for (name, is_same) in
            [("User.Login", true), ("user.LOGIN.x", true), ("App.User.Login", false), ("User", false)]
        {
            assert_eq!(is_same_service(name, "User.login", false), is_same, "{name}");
        }
    }
}
