//! Finds the names of a service that PhalApi reads in a request, so that PHP runs the service whose permissions were
//! checked, and no other.
//!
//! PhalApi takes the service from the member `service` of `$_REQUEST`, or else from `s`. PHP creates this array from
//! the query, then from a form, whose fields have priority, and possibly from cookies; PhalApi 2 adds the members of a
//! JSON object in the body, whatever its media type is.

use std::borrow::Cow;

use rulebook::ApiError;
use rulebook::error::{ErrorKind, ServiceNameError};
use serde_json::Value as Json;

/// The namespace that the name of a service may begin with.
pub const NAMESPACE: &str = "App.";
/// The maximum number of characters of a name in an error message.
pub const MAX_QUOTED: usize = 100;

/// A field from which PhalApi takes the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceField {
    Service,
    /// PhalApi reads it only if there is no `service`.
    S,
}

impl ServiceField {
    /// Returns the field that PHP reads from a field with this decoded name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_key(&php_name(name).0)
    }

    fn from_key(key: &str) -> Option<Self> {
        match key {
            "service" => Some(Self::Service),
            "s" => Some(Self::S),
            _ => None,
        }
    }

    /// Returns the name of the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::S => "s",
        }
    }
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
    field: ServiceField,
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
            if let Some(field) = ServiceField::from_key(&key) {
                self.0.push(GivenName { field, name: (!is_array).then(|| value.into_owned()), is_in_query });
            }
        }
    }

    /// Adds the members of a body if it may be a JSON object.
    /// Fails if it is not certain what PHP reads.
    pub fn add_json(&mut self, body: &[u8]) -> Result<(), ApiError> {
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Ok(());
        }
        // PHP parses numbers and depths that this parser does not.
        let Ok(Json::Object(members)) = serde_json::from_slice(body) else { return Err(wrong_service("{…")) };
        for (key, value) in members {
            if let Some(field) = ServiceField::from_key(&key) {
                self.0.push(GivenName { field, name: value.as_str().map(str::to_owned), is_in_query: false });
            }
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the field that must precede the query so that PHP runs this service, or `None` if the query needs none.
    /// If `service` names the service wherever PHP reads it, nothing changes, because a signature can depend on the
    /// text. A name in the body is repeated in the query: PHP ignores a body that is longer than `post_max_size`.
    /// `is_found` is `true` if PHP runs the service without a name.
    /// Fails if PHP could run another service.
    pub fn missing_field(&self, service: &str, is_found: bool) -> Result<Option<(ServiceField, String)>, ApiError> {
        let of = |field| self.0.iter().filter(move |given| given.field == field);
        let is_right = |given: &GivenName| given.name.as_ref().is_some_and(|name| is_same_service(name, service));
        let field = match (of(ServiceField::Service).count(), of(ServiceField::S).count()) {
            (0, 0) if is_found => return Ok(None),
            (0, 0) => return Ok(Some((ServiceField::Service, service.to_owned()))),
            // `service` has priority over a field `s` with another meaning.
            (0, _) if !of(ServiceField::S).all(is_right) => {
                return Ok(Some((ServiceField::Service, service.to_owned())));
            }
            (0, _) => ServiceField::S,
            _ => ServiceField::Service,
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

/// Returns `true` if PhalApi runs the service for a name: the namespace `App` is optional, and the case of the class's
/// first letter and of the method does not matter.
fn is_same_service(name: &str, service: &str) -> bool {
    let parts = |name: &'_ str| -> Option<(String, String)> {
        let (class, method) = name.rsplit_once('.')?;
        let class = class.strip_prefix(NAMESPACE).unwrap_or(class);
        let (namespace, class) = class.rsplit_once('.').map_or(("", class), |(namespace, class)| (namespace, class));
        let mut class = class.to_owned();
        if let Some(first) = class.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Some((format!("{namespace}.{class}"), method.to_ascii_lowercase()))
    };
    parts(name).is_some_and(|name| parts(service) == Some(name))
}

/// Returns the error for a request with which PHP could run another service than the one whose permissions were
/// checked.
fn wrong_service(name: &str) -> ApiError {
    let name = name.chars().take(MAX_QUOTED).collect();
    let error = ApiError::new(ErrorKind::InvalidServiceName { name, error: ServiceNameError::Illegal });
    error.with_log("the request also names another service, which PHP could run")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

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

    #[test]
    fn php_reads_no_name_that_is_not_found() {
        let mut runner = TestRunner::default();
        let queries: Vec<String> = (0..20_000).map(|_| query().new_tree(&mut runner).unwrap().current()).collect();
        let command = Command::new("php").args(["-r", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut php) = command else { return support::skip("the command line of PHP is not installed") };
        let (mut input, text) = (php.stdin.take().unwrap(), queries.join("\n") + "\n");
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
        let output = php.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let lines: Vec<Json> =
            output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        assert_eq!(lines.len(), queries.len());
        let mut found = 0;
        for (query, read) in queries.iter().zip(&lines) {
            let mut given = GivenNames::default();
            given.add_fields(form_urlencoded::parse(query.as_bytes()), true);
            let field = given.missing_field("User.Login", false);
            // PHP runs the service that the query names, with the field that is added to its beginning.
            let runs = match (&read[0], &read[1], &field) {
                (_, _, Err(_)) | (Json::Null, _, Ok(Some((ServiceField::Service, _)))) => continue,
                (Json::Null, name, Ok(None)) | (name, _, Ok(_)) => name.as_str().unwrap_or_default(),
            };
            found += 1;
            assert!(is_same_service(runs, "User.Login"), "{query:?}: PHP reads {read}, and {field:?} is added");
        }
        assert!(found > 500, "{found}");
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
            ("User.Login.X", "User.login", false),
            ("", "User.login", false),
            ("User.Login\0", "User.login", false),
        ] {
            assert_eq!(is_same_service(name, service), is_same, "{name} {service}");
        }
    }
}
