//! Example calls of a method. Readers of the documentation can paste them into a terminal, a web page or a program.
//!
//! [`SampleRequest`] is the one example request of a method, which the code of each language below formats. The request
//! contains the required parameters, and the optional parameters that have an example in the definition. Readers only
//! need to insert their API key, or their name and password, and the names of their files.

use std::borrow::Cow;

use askama::Template;
use serde_json::{Map, Value as Json};

use super::example;
use super::in_words::{is_basic, reads_key_as_parameter};
use super::openapi::{Placement, TextStyle, placement, text_style};
use super::typescript::{argument_names, is_client_member};
use crate::call::{AuthScheme, HttpMethod, Value};
use crate::invisible::escape_like_json;
use crate::model::{Api, Idempotency, Location, Method, Parameter};
use crate::settings::split_bind_address;
use crate::types::{Arity, Check, includes_media_type};
use crate::uri::percent_encode;

/// An example call of a method in one programming language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The name of the tool or language: `curl`, `rulebook.js`, `fetch`, `Python`, `PHP` or `Go`.
    pub title: &'static str,
    /// The language of the code block in Markdown (its info string): `sh`, `js`, `python`, `php` or `go`.
    pub language: &'static str,
    /// The code that sends the request. It contains the URL of the server.
    pub text: String,
}

/// The placeholder in example calls that readers replace by their API key.
pub const API_KEY_PLACEHOLDER: &str = "YOUR_KEY";

/// Returns the server URL that example calls use, without a slash at the end. This is the first HTTP URL among the
/// servers of the definition, or otherwise `listening`, the URL of the address on which the server listens. If the
/// server does not listen, this is the address in the definition.
#[must_use]
pub fn server_url(api: &Api, listening: Option<&str>) -> String {
    let is_http = |url: &str| ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    let declared = api.servers.iter().map(|server| &*server.url).find(|url| is_http(url));
    match declared.or(listening) {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let (is_tls, address) = split_bind_address(api.bind.as_deref().unwrap_or("127.0.0.1:8080"));
            format!("{}://{address}", if is_tls { "https" } else { "http" })
        }
    }
}

/// The placeholder in example calls that readers replace by their name, if the API accepts names with passwords.
const NAME_PLACEHOLDER: &str = "NAME";
const PASSWORD_PLACEHOLDER: &str = "PASSWORD";
/// Both placeholders as one text, in which the first colon separates them.
const NAME_AND_PASSWORD: &str = "NAME:PASSWORD";

const AUTHORIZATION: &str = "Authorization";

/// The first scheme whose credential is sent in a header field. One with passwords, which programs should not contain,
/// only if there is no other.
fn preferred_scheme(api: &Api) -> Option<&AuthScheme> {
    let mut schemes: Vec<_> = api.auth_schemes.iter().filter(|scheme| scheme.header_field("").is_some()).collect();
    schemes.sort_by_key(|scheme| is_basic(scheme));
    schemes.first().copied()
}

/// The header field with the credential [`API_KEY_PLACEHOLDER`]; `None` if the API has no schemes.
pub(super) fn credential_field_of_api(api: &Api) -> Option<(String, String)> {
    preferred_scheme(api)?.header_field(API_KEY_PLACEHOLDER)
}

enum SampleCredential {
    /// The name and the value of the header field that contains [`API_KEY_PLACEHOLDER`].
    Field(String, String),
    /// The name [`NAME_PLACEHOLDER`] and the password [`PASSWORD_PLACEHOLDER`] (RFC 7617).
    NameAndPassword,
}

/// `None` if the method requires no permissions, or the API has no schemes.
fn sample_credential(api: &Api, method: &Method) -> Option<SampleCredential> {
    let scheme = preferred_scheme(api).filter(|_| !method.scope.is_public())?;
    if is_basic(scheme) {
        return Some(SampleCredential::NameAndPassword);
    }
    let (name, value) = scheme.header_field(API_KEY_PLACEHOLDER)?;
    Some(SampleCredential::Field(name, value))
}

/// Returns example calls of a method, one for each supported language. `server` is the URL of the server, which
/// [`server_url`] returns. `uri` is the URI template of the method's service, including the base path.
#[must_use]
pub fn snippets(api: &Api, server: &str, uri: &str, method: &Method) -> Vec<Snippet> {
    let request = &SampleRequest::new(api, server, uri, method);
    let snippet = |title, language, text| Snippet { title, language, text };
    // Writing to a `String` cannot fail.
    vec![
        snippet("curl", "sh", format_curl_command(request)),
        snippet("rulebook.js", "js", format_client_code(api, server, method)),
        snippet("fetch", "js", JavascriptCode { request }.render().unwrap_or_default()),
        snippet("Python", "python", PythonCode { request }.render().unwrap_or_default()),
        snippet("PHP", "php", PhpCode { request }.render().unwrap_or_default()),
        snippet("Go", "go", GoCode { request }.render().unwrap_or_default()),
    ]
}

// The example request. It does not depend on the programming language of the call.

const COOKIE: &str = "Cookie";
/// The name of the header field that contains the name of a file that is the whole body.
const CONTENT_DISPOSITION: &str = "Content-Disposition";

struct SampleRequest {
    http: HttpMethod,
    /// The URL, with the server, the path and the query. The path and the query are percent-encoded.
    url: String,
    /// `true` if the request has the name and the password of the examples, in its field `Authorization`.
    has_password: bool,
    /// `true` if the code creates an idempotency key when it runs: code that is pasted again is not the same request.
    needs_key: bool,
    /// The names and values of the other header fields, in order, without `Content-Type`, which `body` determines.
    headers: Vec<(String, String)>,
    body: SampleBody,
    returns_file: bool,
}

enum SampleBody {
    Empty,
    Json(Json),
    Multipart(Vec<(String, FormPart)>),
    File(SampleFile),
}

/// A file that is the whole body. The reader of the example provides it.
struct SampleFile {
    name: String,
    media_type: String,
}

enum FormPart {
    Text(String),
    /// The name of a file. The reader of the example provides this file.
    File(String),
}

impl SampleRequest {
    fn new(api: &Api, server: &str, uri: &str, method: &Method) -> Self {
        let mut request = Self {
            http: method.http,
            url: format!("{server}{}", sample_path(uri, method)),
            has_password: false,
            needs_key: method.options.idempotent == Some(Idempotency::Required) && !reads_key_as_parameter(method),
            headers: Vec::new(),
            body: SampleBody::Empty,
            returns_file: method.options.download,
        };
        let mut query = Vec::new();
        let mut cookies = Vec::new();
        match sample_credential(api, method) {
            Some(SampleCredential::Field(name, value)) if name == COOKIE => cookies.push(value),
            Some(SampleCredential::Field(name, value)) => request.headers.push((name, value)),
            Some(SampleCredential::NameAndPassword) => request.has_password = true,
            None => {}
        }
        let mut fields: Vec<&Parameter> = Vec::new();
        for parameter in parameters_to_send(method) {
            match placement(method.http, parameter) {
                Some(Placement::Query) => {
                    let texts = field_texts(method, parameter, Placement::Query).into_iter();
                    query.extend(
                        texts.map(|text| format!("{}={}", percent_encode(&parameter.key), percent_encode(&text))),
                    );
                }
                Some(Placement::Header) => request.add_header(method, parameter),
                Some(Placement::Cookie) => {
                    cookies.push(format!(
                        "{}={}",
                        parameter.key,
                        single_field_text(method, parameter, Placement::Cookie)
                    ));
                }
                Some(Placement::Path | Placement::Form) => {}
                None => fields.push(parameter),
            }
        }
        request.body = sample_body(method, &fields);
        if let SampleBody::File(file) = &request.body
            && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_DISPOSITION))
        {
            let disposition = format!("attachment; filename=\"{}\"", file.name);
            request.headers.push((CONTENT_DISPOSITION.to_owned(), disposition));
        }
        if !query.is_empty() {
            request.url.push('?');
            request.url.push_str(&query.join("&"));
        }
        if !cookies.is_empty() {
            request.headers.push((COOKIE.to_owned(), cookies.join("; ")));
        }
        request
    }

    /// Returns the media type of the body; `None` without a body, and for a form, whose media type contains a boundary.
    fn media_type(&self) -> Option<&str> {
        match &self.body {
            SampleBody::Json(_) => Some("application/json"),
            SampleBody::File(file) => Some(&file.media_type),
            SampleBody::Empty | SampleBody::Multipart(_) => None,
        }
    }

    fn sends_files(&self) -> bool {
        match &self.body {
            SampleBody::Multipart(parts) => parts.iter().any(|(_, part)| matches!(part, FormPart::File(_))),
            SampleBody::File(_) => true,
            SampleBody::Empty | SampleBody::Json(_) => false,
        }
    }

    fn has_cookies(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == COOKIE)
    }

    /// Curl omits a field without a value, unless its name is followed by a semicolon instead of a colon.
    fn curl_headers(&self) -> impl Iterator<Item = String> {
        let format = |(name, value): &(String, String)| {
            if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") }
        };
        self.headers.iter().map(format)
    }

    /// Adds a header field, unless the request already has it, or the body determines it.
    fn add_header(&mut self, method: &Method, parameter: &Parameter) {
        let is_same = |(name, _): &(String, String)| name.eq_ignore_ascii_case(&parameter.key);
        let is_credential = self.has_password && parameter.key.eq_ignore_ascii_case(AUTHORIZATION);
        if !self.headers.iter().any(is_same) && !is_credential && parameter.key != "content-type" {
            self.headers.push((parameter.key.clone(), single_field_text(method, parameter, Placement::Header)));
        }
    }
}

/// If two parameters are read from the same field of a request, only the first of the two is returned.
fn parameters_to_send(method: &Method) -> impl Iterator<Item = &Parameter> {
    let mut sent: Vec<&Parameter> = Vec::new();
    for parameter in example::sent_parameters(method) {
        let is_same = |other: &&Parameter| {
            placement(method.http, other) == placement(method.http, parameter) && other.key == parameter.key
        };
        if parameter.key.is_empty() || !sent.iter().any(is_same) {
            sent.push(parameter);
        }
    }
    sent.into_iter()
}

fn is_in_example_request(parameter: &Parameter) -> bool {
    !parameter.optional || parameter.example.is_some()
}

/// Replaces the captures (`{name}`) by example values, and appends those of positional parameters.
fn sample_path(uri: &str, method: &Method) -> String {
    let captured = |segment: &str| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        method.parameters.iter().find(|parameter| parameter.from == Location::Path && parameter.key == name)
    };
    let fill = |segment| {
        let parameter = captured(segment);
        parameter.map_or(Cow::Borrowed(segment), |parameter| {
            percent_encode(&single_field_text(method, parameter, Placement::Path)).to_string().into()
        })
    };
    let mut path = uri.split('/').map(fill).collect::<Vec<_>>().join("/");
    let positions = method.positions();
    let count = positions.iter().rposition(|position| is_in_example_request(position)).map_or(0, |last| last + 1);
    if count > 0 && path.ends_with('/') {
        path.pop();
    }
    for position in &positions[..count] {
        path.push('/');
        if is_in_example_request(position) {
            path.extend(percent_encode(&single_field_text(method, position, Placement::Path)));
        }
    }
    path
}

fn sample_body(method: &Method, fields: &[&Parameter]) -> SampleBody {
    if fields.is_empty() {
        return SampleBody::Empty;
    }
    if let Some(whole) = fields.iter().find(|field| field.is_whole_body()) {
        return match whole.is_raw_body() {
            true => SampleBody::File(sample_file(whole)),
            false => SampleBody::Json(sample_value(method, whole)),
        };
    }
    if !fields.iter().any(|field| is_file(field)) {
        let members = fields.iter().map(|field| (field.key.clone(), sample_value(method, field)));
        return SampleBody::Json(Json::Object(members.collect::<Map<_, _>>()));
    }
    let parts = fields.iter().flat_map(|field| {
        let parts: Vec<FormPart> = if is_file(field) {
            sample_file_names(field).into_iter().map(FormPart::File).collect()
        } else {
            field_texts(method, field, Placement::Form).into_iter().map(FormPart::Text).collect()
        };
        parts.into_iter().map(|part| (field.key.clone(), part))
    });
    SampleBody::Multipart(parts.collect())
}

fn is_file(parameter: &Parameter) -> bool {
    matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files)
}

/// The media type of the file is that of its name, or else the first one that the type allows.
fn sample_file(parameter: &Parameter) -> SampleFile {
    let name = sample_file_names(parameter).concat();
    let allowed = parameter.r#type.check.media_types();
    let of_name = mime_guess::from_path(&name).first_raw().filter(|found| includes_media_type(allowed, found));
    let exact = || allowed.iter().map(String::as_str).find(|media_type| !media_type.ends_with("/*"));
    let media_type = of_name.or_else(exact).unwrap_or("application/octet-stream").to_owned();
    SampleFile { name, media_type }
}

/// Each name has an extension that the parameter's type allows.
fn sample_file_names(parameter: &Parameter) -> Vec<String> {
    let attributes = &parameter.r#type.written.attributes;
    let file_attributes = attributes.get("items").and_then(Json::as_object).unwrap_or(attributes);
    let first_string = |name: &str| file_attributes.get(name)?.as_array()?.first()?.as_str();
    let extension_of = |media_type: &str| match media_type {
        "image/*" | "image/png" | "*/*" => Some("png"),
        "text/*" | "text/plain" => Some("txt"),
        other => mime_guess::get_mime_extensions_str(other)?.first().copied(),
    };
    let extension = first_string("ext").or_else(|| extension_of(first_string("range")?)).unwrap_or("txt");
    let bound = |name: &str| attributes.get(name).and_then(Json::as_u64);
    let min = bound("min").unwrap_or(0).clamp(1, 9);
    // If several files are allowed, the example sends two of them.
    let count = bound("max").unwrap_or(2).clamp(min, min.max(2));
    match parameter.r#type.check.arity() {
        Arity::Files => (1..=count).map(|number| format!("file{number}.{extension}")).collect(),
        _ => vec![format!("file.{extension}")],
    }
}

/// Returns the example value of a parameter, or the placeholder `value` if no example can be generated.
fn sample_value(method: &Method, parameter: &Parameter) -> Json {
    example::parameter_example(method, parameter).unwrap_or_else(|| "value".into())
}

/// Only for a placement in which a parameter has a single field, such as a header field.
fn single_field_text(method: &Method, parameter: &Parameter, placement: Placement) -> String {
    field_texts(method, parameter, placement).into_iter().next().unwrap_or_default()
}

/// Returns one text for each request field, in the style that the OpenAPI document describes. If the type would decode
/// these texts to another value, the value is serialized as JSON instead.
fn field_texts(method: &Method, parameter: &Parameter, placement: Placement) -> Vec<String> {
    let value = sample_value(method, parameter);
    let items = || value.as_array().into_iter().flatten().map(json_to_text);
    let texts = match text_style(&parameter.r#type, placement) {
        TextStyle::Plain => vec![json_to_text(&value)],
        TextStyle::Repeated => items().collect(),
        TextStyle::Commas => vec![items().collect::<Vec<_>>().join(",")],
        // The server also reads such an object as JSON, in one field.
        TextStyle::Json | TextStyle::Members => vec![value.to_string()],
    };
    if decodes_to_value(&*parameter.r#type.check, &texts, &value) {
        texts
    } else {
        // Header fields can only carry ASCII characters.
        vec![escape_like_json(&value.to_string(), |character| !character.is_ascii())]
    }
}

fn json_to_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn decodes_to_value(check: &dyn Check, texts: &[String], value: &Json) -> bool {
    let mut borrowed = texts.iter().map(|text| Cow::Borrowed(text.as_str()));
    let decoded = match (check.arity(), borrowed.len()) {
        (_, 0) => return false,
        (Arity::Many, _) => check.decode_many(borrowed.collect()),
        _ => check.decode(borrowed.next().unwrap_or_default()),
    };
    // If the type also accepts the value before decoding, such as the text `"1"` for an `id`, the decoded value has the
    // same meaning.
    decoded.to_json() == *value || !matches!(value, Json::Array(_)) || check.checked(Value::from(value)).is_err()
}

// The JavaScript client `rulebook.js`.

fn format_client_code(api: &Api, server: &str, method: &Method) -> String {
    let names = argument_names(&method.parameters);
    let mut imports = vec!["rulebook"];
    let mut reads_files = false;
    let mut arguments = String::new();
    for parameter in parameters_to_send(method) {
        let Some(index) = method.parameters.iter().position(|other| std::ptr::eq(other, parameter)) else { continue };
        let value = if is_file(parameter) {
            reads_files = true;
            let file = |name: &String| {
                let name = string_literal(name);
                format!("new File([await readFile({name})], {name})")
            };
            let files: Vec<_> = sample_file_names(parameter).iter().map(file).collect();
            match parameter.r#type.check.arity() {
                Arity::Files => format!("[{}]", files.join(", ")),
                _ => files.concat(),
            }
        } else {
            let value = sample_value(method, parameter);
            if is_exact_in_javascript(&value) {
                indented_json(&value)
            } else {
                imports.push("Json");
                format!("new Json({})", string_literal(&value.to_string()))
            }
        };
        arguments.push_str(&format!("  {}: {value},\n", member_name(&names[index])));
    }
    imports.sort_unstable();
    imports.dedup();
    let mut text = format!(
        "import {{ {} }} from {};\n",
        imports.join(", "),
        string_literal(&format!("{server}/docs/rulebook.js"))
    );
    if reads_files {
        text.push_str("// In a page, a file comes from <input type=\"file\">: input.files[0].\n");
        text.push_str("const { readFile } = await import(\"node:fs/promises\");\n");
    }
    let options = sample_credential(api, method);
    let options = options.map_or_else(String::new, |credential| format!(", {}", credential_option(&credential)));
    let arguments = if arguments.is_empty() { arguments } else { format!("{{\n{arguments}}}") };
    let call = function_call(&method.id, &arguments);
    text.push_str(&format!("\nconst api = await rulebook({}{options});\n", string_literal(server)));
    text.push_str(&if method.options.download {
        format!("const {{ response, filename }} = await {call};\nconsole.log(filename, await response.blob());")
    } else {
        format!("const outputs = await {call};\nconsole.log(outputs);")
    });
    text
}

fn credential_option(credential: &SampleCredential) -> String {
    let SampleCredential::Field(name, value) = credential else {
        let (name, password) = (string_literal(NAME_PLACEHOLDER), string_literal(PASSWORD_PLACEHOLDER));
        return format!("{{ basic: {{ name: {name}, password: {password} }} }}");
    };
    let is_bearer = AuthScheme::bearer().header_field(API_KEY_PLACEHOLDER) == Some((name.clone(), value.clone()));
    if is_bearer {
        return format!("{{ token: {} }}", string_literal(API_KEY_PLACEHOLDER));
    }
    format!("{{ headers: {{ {}: {} }} }}", string_literal(name), string_literal(value))
}

/// Returns the call of a method's function. `arguments` is an object literal, or empty.
fn function_call(id: &str, arguments: &str) -> String {
    if !is_client_member(id) {
        let separator = if arguments.is_empty() { "" } else { ", " };
        return format!("api.$call({}{separator}{arguments})", string_literal(id));
    }
    let member = |name: &str| {
        if is_identifier(name) { format!(".{name}") } else { format!("[{}]", string_literal(name)) }
    };
    format!("api{}({arguments})", id.split('.').map(member).collect::<String>())
}

fn member_name(name: &str) -> String {
    // `__proto__` without brackets would set the prototype of the object instead of adding a member.
    match name {
        "__proto__" => "[\"__proto__\"]".to_owned(),
        _ if is_identifier(name) => name.to_owned(),
        _ => string_literal(name),
    }
}

/// Returns `true` for a name that can follow a dot. Names with non-ASCII letters are not included, although JavaScript
/// allows them.
pub(super) fn is_identifier(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

// A shell, for curl 7.43 (2015) and later.

fn format_curl_command(request: &SampleRequest) -> String {
    let has_body = !matches!(request.body, SampleBody::Empty);
    let default_http_method = if has_body { HttpMethod::Post } else { HttpMethod::Get };
    let mut command = "curl".to_owned();
    if request.http != default_http_method {
        command.push_str(" -X ");
        command.push_str(request.http.as_str());
    }
    // Without `--globoff`, curl would expand a URL with brackets or braces to several URLs.
    if request.url.contains(['[', ']', '{', '}']) {
        command.push_str(" --globoff");
    }
    command.push(' ');
    command.push_str(&shell_quote(&request.url));
    let mut lines = vec![command];
    if request.has_password {
        lines.push(format!("--user {}", shell_quote(NAME_AND_PASSWORD)));
    }
    lines.extend(request.curl_headers().map(|field| format!("-H {}", shell_quote(&field))));
    lines.extend(request.media_type().map(|name| format!("-H {}", shell_quote(&format!("Content-Type: {name}")))));
    if request.needs_key {
        // The shell replaces the command by its output.
        lines.push(format!("-H \"{}: $(uuidgen)\"", Idempotency::HEADER));
    }
    match &request.body {
        SampleBody::Empty => {}
        SampleBody::Json(json) => lines.push(format!("--data-raw {}", shell_quote(&json.to_string()))),
        SampleBody::File(file) => lines.push(format!("--data-binary {}", shell_quote(&format!("@{}", file.name)))),
        SampleBody::Multipart(parts) => lines.extend(parts.iter().map(|(name, part)| match part {
            FormPart::Text(text) => format!("--form-string {}", shell_quote(&format!("{name}={text}"))),
            FormPart::File(file) => format!("-F {}", shell_quote(&format!("{name}=@{file}"))),
        })),
    }
    if request.returns_file {
        lines.push("--output download".to_owned());
    }
    lines.join(" \\\n  ")
}

/// Between single quotes, only the single quote has a special meaning (POSIX, Shell Command Language, section 2.2.2).
fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

// JavaScript: in modules, in the console of a browser, and in Node.js 18 and later; if the call needs an idempotency
// key, in Node.js 20 and later.

/// `Number.MAX_SAFE_INTEGER`: JavaScript numbers represent all integers up to this value exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

#[derive(Template)]
#[template(path = "snippets/javascript.txt", escape = "none")]
struct JavascriptCode<'r> {
    request: &'r SampleRequest,
}

impl JavascriptCode<'_> {
    /// Returns the members of the object with the options of `fetch`.
    fn options(&self) -> Vec<String> {
        let SampleRequest { http, has_password, needs_key, headers, body, .. } = self.request;
        let mut options = Vec::new();
        if *http != HttpMethod::Get {
            options.push(format!("method: {}", string_literal(http.as_str())));
        }
        let mut fields = Vec::new();
        if *has_password {
            fields.push((AUTHORIZATION, format!("\"Basic \" + btoa({})", string_literal(NAME_AND_PASSWORD))));
        }
        fields.extend(headers.iter().map(|(name, value)| (name.as_str(), string_literal(value))));
        fields.extend(self.request.media_type().map(|name| ("Content-Type", string_literal(name))));
        let body = match body {
            SampleBody::Empty => None,
            SampleBody::Json(json) => Some(match is_exact_in_javascript(json) {
                true => format!("JSON.stringify({})", indented_json(json)),
                // JavaScript would round the numbers of a literal, so the body is a string.
                false => string_literal(&json.to_string()),
            }),
            SampleBody::File(file) => Some(format!("await readFile({})", string_literal(&file.name))),
            SampleBody::Multipart(_) => Some("form".to_owned()),
        };
        fields.extend(needs_key.then(|| (Idempotency::HEADER, "crypto.randomUUID()".to_owned())));
        if !fields.is_empty() {
            let fields = fields.iter().map(|(name, value)| format!("    {}: {value},\n", string_literal(name)));
            options.push(format!("headers: {{\n{}  }}", fields.collect::<String>()));
        }
        options.extend(body.map(|body| format!("body: {body}")));
        options
    }

    fn literal(&self, text: &str) -> String {
        string_literal(text)
    }
}

/// Formats a string literal. Every JSON string is also a JavaScript string (ECMA-262 section 12.9.4).
fn string_literal(text: &str) -> String {
    Json::from(text).to_string()
}

fn indented_json(json: &Json) -> String {
    let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
    pretty.replace('\n', "\n  ")
}

/// `JSON.stringify` removes the sign of -0, and writes large numbers with a fraction or an exponent as integers.
fn is_exact_in_javascript(json: &Json) -> bool {
    let is_exact = |float: f64| match float == 0.0 {
        true => float.is_sign_positive(),
        false => float.abs() <= MAX_SAFE_INTEGER || float.fract() != 0.0,
    };
    match json {
        Json::Number(number) => number.as_f64().is_some_and(is_exact),
        Json::Array(items) => items.iter().all(is_exact_in_javascript),
        // In a JavaScript object literal, `__proto__` would set the prototype of the object instead of adding a member.
        Json::Object(members) => {
            members.iter().all(|(name, member)| name != "__proto__" && is_exact_in_javascript(member))
        }
        _ => true,
    }
}

// Python 3. A call that sends files uses the package `requests`; any other call uses the standard library.

/// Python statements that send a request. `urllib`, a module of the standard library, does not support multipart forms.
#[derive(Template)]
#[template(path = "snippets/python.txt", escape = "none")]
struct PythonCode<'r> {
    request: &'r SampleRequest,
}

impl PythonCode<'_> {
    /// Formats the header fields as the keyword argument `headers`. Returns an empty text without fields.
    fn headers(&self) -> String {
        let SampleRequest { has_password, needs_key, headers, body, .. } = self.request;
        let is_form = matches!(body, SampleBody::Multipart(_));
        let mut fields = Vec::new();
        if *has_password && !is_form {
            let text = python_string(NAME_AND_PASSWORD);
            fields.push((AUTHORIZATION, format!("\"Basic \" + base64.b64encode({text}.encode()).decode()")));
        }
        fields.extend(headers.iter().map(|(name, value)| (name.as_str(), python_string(value))));
        fields.extend(self.request.media_type().map(|name| ("Content-Type", python_string(name))));
        fields.extend(needs_key.then(|| (Idempotency::HEADER, "str(uuid.uuid4())".to_owned())));
        if fields.is_empty() {
            return String::new();
        }
        let fields = fields.iter().map(|(name, value)| format!("        {}: {value},\n", python_string(name)));
        format!("\n    headers={{\n{}    }},", fields.collect::<String>())
    }

    fn literal(&self, text: &str) -> String {
        python_string(text)
    }

    fn json_literal(&self, json: &Json) -> String {
        python_literal(json, 4)
    }
}

/// A JSON string without escaped surrogates is also a Python string, and `serde_json` does not escape surrogates.
fn python_string(text: &str) -> String {
    // JSON escapes null characters, which Python source code must not contain.
    Json::from(text).to_string()
}

/// Formats a JSON value as a Python literal. Each member of an object and each item of an array is on a separate line.
fn python_literal(json: &Json, indent: usize) -> String {
    let inner = indent + 4;
    let list = |open: char, items: Vec<String>, close: char| {
        if items.is_empty() {
            return format!("{open}{close}");
        }
        let items: String = items.into_iter().map(|item| format!("{:inner$}{item},\n", "")).collect();
        format!("{open}\n{items}{:indent$}{close}", "")
    };
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => python_string(text),
        Json::Array(items) => list('[', items.iter().map(|item| python_literal(item, inner)).collect(), ']'),
        Json::Object(members) => {
            let member = |(name, member): (&String, &Json)| {
                format!("{}: {}", python_string(name), python_literal(member, inner))
            };
            list('{', members.iter().map(member).collect(), '}')
        }
    }
}

// PHP 7.3 and later, with the extension `curl`.

#[derive(Template)]
#[template(path = "snippets/php.txt", escape = "none")]
struct PhpCode<'r> {
    request: &'r SampleRequest,
}

impl PhpCode<'_> {
    /// Returns the parts of a form in which several parts have the same name. A PHP array of fields cannot contain such
    /// parts, so that the script writes the multipart body (RFC 7578) itself.
    fn repeated_parts(&self) -> Option<&[(String, FormPart)]> {
        let SampleBody::Multipart(parts) = &self.request.body else { return None };
        let is_repeated = |(index, (name, _)): (usize, &(String, _))| parts[..index].iter().any(|it| it.0 == *name);
        parts.iter().enumerate().any(is_repeated).then_some(parts)
    }

    /// Formats the parameters of `Content-Disposition` of a part. Quotes in names are percent-encoded, as browsers do.
    fn disposition(&self, name: &str, part: &FormPart) -> String {
        let name = name.replace('"', "%22");
        self.literal(&match part {
            FormPart::Text(_) => format!("name=\"{name}\""),
            FormPart::File(file) => format!("name=\"{name}\"; filename=\"{file}\""),
        })
    }

    fn content(&self, part: &FormPart) -> String {
        match part {
            FormPart::Text(text) => self.literal(text),
            FormPart::File(file) => format!("file_get_contents({})", self.literal(file)),
        }
    }

    /// Formats a part as an item of the array from which curl writes a multipart body.
    fn field(&self, part: &FormPart) -> String {
        match part {
            FormPart::Text(text) => self.literal(text),
            FormPart::File(file) => format!("new CURLFile({})", self.literal(file)),
        }
    }

    /// Returns the header fields as string expressions.
    fn headers(&self) -> Vec<String> {
        let form = || self.repeated_parts().map(|_| "multipart/form-data; boundary=boundary42");
        let content_type = self.request.media_type().or_else(form);
        let content_type = content_type.map(|content_type| format!("Content-Type: {content_type}"));
        let key = format!("{} . bin2hex(random_bytes(16))", self.literal(&format!("{}: ", Idempotency::HEADER)));
        let key = self.request.needs_key.then_some(key);
        let literal = |header: String| self.literal(&header);
        self.request.curl_headers().map(literal).chain(content_type.map(literal)).chain(key).collect()
    }

    /// Returns the lines of JSON in a string literal: PHP would convert some values that are written as PHP arrays,
    /// such as an empty object.
    fn json_lines(&self, json: &Json) -> Vec<String> {
        serde_json::to_string_pretty(json).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Formats a string literal: in single quotes, or in double quotes if the text contains control characters.
    fn literal(&self, text: &str) -> String {
        if !text.contains(char::is_control) {
            return format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        }
        let escape = |character: char| match character {
            '\n' => "\\n".to_owned(),
            '"' | '\\' | '$' => format!("\\{character}"),
            _ if character.is_control() => format!("\\u{{{:x}}}", u32::from(character)),
            _ => character.to_string(),
        };
        format!("\"{}\"", text.chars().map(escape).collect::<String>())
    }
}

// Go 1.16 and later, with the standard library.

#[derive(Template)]
#[template(path = "snippets/go.txt", escape = "none")]
struct GoCode<'r> {
    request: &'r SampleRequest,
}

impl GoCode<'_> {
    fn imports(&self) -> Vec<&'static str> {
        let mut imports = vec!["fmt", "io", "log", "net/http"];
        match &self.request.body {
            SampleBody::Empty => {}
            SampleBody::Json(_) => imports.push("strings"),
            SampleBody::Multipart(_) => imports.extend(["bytes", "mime/multipart"]),
            SampleBody::File(_) => imports.push("bytes"),
        }
        imports.extend(self.request.sends_files().then_some("os"));
        imports.extend(self.request.needs_key.then_some("crypto/rand"));
        imports.sort_unstable();
        imports
    }

    /// Returns the expression for the body, which the statements before the request define.
    fn body(&self) -> &'static str {
        match &self.request.body {
            SampleBody::Empty => "nil",
            SampleBody::Json(_) | SampleBody::File(_) => "body",
            SampleBody::Multipart(_) => "&body",
        }
    }

    /// Every JSON string is also a Go string if it contains no byte order mark, which Go source code cannot contain.
    fn literal(&self, text: &str) -> String {
        Json::from(text).to_string().replace('\u{FEFF}', "\\ufeff")
    }

    /// Formats a JSON value as a string literal: with several lines if Go can express them, otherwise on one line.
    fn json_literal(&self, json: &Json) -> String {
        let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
        // A raw string literal cannot contain these characters (Go specification, String literals).
        if pretty.contains(['`', '\r', '\u{FEFF}']) { self.literal(&json.to_string()) } else { format!("`{pretty}`") }
    }
}
