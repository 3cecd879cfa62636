//! Converts the operations of a description to methods: their paths, outputs and errors.

mod parameters;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use rulebook_model::model::parse_date_or_time;
use rulebook_model::uri::percent_decode;
use serde_json::{Map, Value as Json, json};

use super::document::{Document, items, members, reference_of, text};
use super::losses::{LossKind, Place, is_extension};
use super::schema::{Converter, ORIGIN_KEY, any_schema, described};
use super::{cut, is_field_name, plain_name, settings, slug, unique_name};
use parameters::{convert_parameters, is_json_media_type};

/// The HTTP methods of a definition, with their keys in a description.
const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("delete", "DELETE"), ("patch", "PATCH")];

/// The module of operations without a tag.
const DEFAULT_MODULE: &str = "default";

/// The maximum length of the name of a module, without a number that makes it unique. Names of files have at most 255
/// bytes.
const MAX_MODULE_BYTES: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Module {
    /// The first tag of the operations.
    tag: String,
    pub info: String,
    pub services: BTreeMap<String, Map<String, Json>>,
}

pub(super) fn convert_operations(converter: &mut Converter<'_>) -> BTreeMap<String, Module> {
    let document = converter.document;
    let place = Place::new("/paths");
    let mut operations = Operations::default();
    for (path, item) in document.read_members(document.root, "paths") {
        if is_extension(path) {
            document.record_whole(item);
            continue;
        }
        operations.convert_path(converter, path, item, &place.member(path));
    }
    // A definition has a module, also if it consists of schemas.
    if operations.modules.is_empty() {
        operations.modules.insert(DEFAULT_MODULE.to_owned(), Module::default());
    }
    for (name, module) in &mut operations.modules {
        module.info = settings::tag_info(converter, &module.tag, name);
    }
    operations.modules
}

#[derive(Default)]
struct Operations {
    modules: BTreeMap<String, Module>,
    module_names: HashMap<String, String>,
    used_module_names: HashSet<String>,
    ids: HashSet<String>,
    /// The path of each service, and its module, by the path without the names of captures.
    services: HashMap<String, (PathTemplate, String)>,
}

impl Operations {
    fn convert_path<'a>(&mut self, converter: &mut Converter<'a>, path: &str, item: &'a Json, place: &Place) {
        let template = match parse_path(path) {
            Ok(template) => template,
            Err(why) => {
                converter.losses.add(LossKind::PATH, place, format!("{why}: its operations are omitted"));
                return;
            }
        };
        let document = converter.document;
        let Some((item, item_place)) = converter.resolve(item, place, "its operations are") else { return };
        let operations = METHODS.iter().filter_map(|(key, method)| Some((*key, *method, item.get(*key)?)));
        let operations: Vec<_> = operations.filter(|(.., operation)| operation.is_object()).collect();
        if operations.is_empty() {
            return;
        }
        if !template.notes.is_empty() {
            converter.losses.add(LossKind::PATH, place, template.notes.join("; "));
        }
        let shape = template.shape();
        let mut tags = operations.iter().flat_map(|(_, _, operation)| items(operation.get("tags")));
        let tag = tags.find_map(Json::as_str).unwrap_or_default();
        let (template, module) = match self.services.get(&shape) {
            Some((first, module)) => (template.with_captures_of(first), module.clone()),
            None => {
                let module = self.module_name(tag);
                self.services.insert(shape, (template.clone(), module.clone()));
                (template, module)
            }
        };
        let shared = document.read_items(item, "parameters");
        for (key, method, operation) in operations {
            let operation_place = item_place.member(key);
            let services = self.modules.get(&module).map(|module| &module.services);
            let methods = services.and_then(|services| services.get(&template.text()));
            if methods.is_some_and(|methods| methods.contains_key(method)) {
                let message = "another path has the same segments: the operation is omitted";
                converter.losses.add(LossKind::PATH, &operation_place, message);
                continue;
            }
            document.record(operation);
            let context = OperationContext { template: &template, method, item_place: &item_place, shared };
            let converted = self.convert_operation(converter, operation, &operation_place, &context);
            let entry = self.modules.entry(module.clone()).or_default();
            let methods = entry.services.entry(template.text()).or_default();
            methods.entry(ORIGIN_KEY).or_insert_with(|| item_place.as_str().into());
            methods.insert(method.to_owned(), converted.into());
            if entry.tag.is_empty() {
                tag.clone_into(&mut entry.tag);
            }
            read_tags(converter, operation, &operation_place, (tag, &module));
        }
    }

    fn module_name(&mut self, tag: &str) -> String {
        if let Some(name) = self.module_names.get(tag) {
            return name.clone();
        }
        let slug = slug(tag, '-');
        let name = cut(&slug, MAX_MODULE_BYTES).trim_end_matches('-');
        // The file `app.json` has the settings.
        let name = if name.is_empty() || name == "app" { format!("{DEFAULT_MODULE}{name}") } else { name.to_owned() };
        let name = unique_name(&name, &mut self.used_module_names);
        self.module_names.insert(tag.to_owned(), name.clone());
        name
    }

    fn convert_operation<'a>(
        &mut self,
        converter: &mut Converter<'a>,
        operation: &'a Json,
        place: &Place,
        context: &OperationContext<'a, '_>,
    ) -> Map<String, Json> {
        let document = converter.document;
        let mut method = Map::new();
        if let Some(id) = document.read_text(operation, "operationId") {
            let usable: String = id.split_whitespace().collect::<Vec<_>>().join("_");
            if self.ids.insert(usable.clone()) {
                if usable != id {
                    converter.losses.add(LossKind::NAME, &place.member("operationId"), format!("the id is `{usable}`"));
                }
                method.insert("id".to_owned(), usable.into());
            } else {
                converter.losses.add(LossKind::NAME, &place.member("operationId"), "another operation has this id");
            }
        }
        method.insert("info".to_owned(), operation_info(document, operation, context).into());
        let scope = settings::scope(converter, operation, place);
        let parameters = convert_parameters(converter, operation, place, context);
        let mut responses = convert_responses(converter, operation, place);
        if document.read_flag(operation, "deprecated") {
            responses.options.insert("deprecated".to_owned(), json!(true));
            if let Some(sunset) =
                document.read_text(operation, "x-sunset").filter(|it| parse_date_or_time(it).is_some())
            {
                responses.options.insert("sunset".to_owned(), json!(sunset));
            }
        }
        let parts: [(&str, Json); 6] = [
            ("scope", scope.into()),
            ("in", parameters.entries.into()),
            ("constraints", parameters.constraints.into()),
            ("out", responses.outputs.into()),
            ("errors", responses.errors.into()),
            ("options", responses.options.into()),
        ];
        let is_empty = |part: &Json| items(Some(part)).is_empty() && members(Some(part)).is_empty();
        let parts = parts.into_iter().filter(|(_, part)| !is_empty(part));
        method.extend(parts.map(|(key, part)| (key.to_owned(), part)));
        method.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
        method
    }
}

struct OperationContext<'a, 'c> {
    template: &'c PathTemplate,
    method: &'static str,
    item_place: &'c Place,
    shared: &'a [Json],
}

/// Reads the tags of an operation. The first tag of its path has already become the module.
fn read_tags(converter: &mut Converter<'_>, operation: &Json, place: &Place, (tag, module): (&str, &str)) {
    for (index, other) in converter.document.read_items(operation, "tags").iter().enumerate() {
        let place = place.member("tags").item(index);
        if other != tag {
            converter.losses.add(LossKind::TAG, &place, format!("the operation is in the module `{module}`"));
            continue;
        }
        converter.document.record(other);
        if slug(tag, '-').len() > MAX_MODULE_BYTES {
            converter.losses.add(LossKind::NAME, &place, format!("the tag is too long: the module is `{module}`"));
        }
    }
}

/// Returns the description of a method: the summary and the description of the operation.
fn operation_info(document: Document<'_>, operation: &Json, context: &OperationContext<'_, '_>) -> String {
    match (document.read_text(operation, "summary"), document.read_text(operation, "description")) {
        (Some(summary), Some(description)) if summary != description => format!("{summary}\n\n{description}"),
        (Some(only), _) | (_, Some(only)) => only.to_owned(),
        (None, None) => match text(operation, "operationId") {
            Some(id) => id.to_owned(),
            None => format!("{} /{}", context.method, context.template.text()),
        },
    }
}

#[derive(Debug, Clone, Default)]
struct PathTemplate {
    segments: Vec<Segment>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Static(String),
    Capture(Capture),
}

#[derive(Debug, Clone, PartialEq)]
struct Capture {
    /// The name in the definition.
    pub name: String,
    /// The names in the description: one, or several for a segment such as `{a}-{b}`.
    parameters: Vec<String>,
    /// The pattern of the segment, if it consists of more than one capture.
    pub pattern: Option<String>,
}

impl PathTemplate {
    fn text(&self) -> String {
        self.join(|capture| &capture.name)
    }

    fn shape(&self) -> String {
        self.join(|_| "")
    }

    fn join(&self, capture_name: impl Fn(&Capture) -> &str) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Static(text) => text.clone(),
            Segment::Capture(capture) => format!("{{{}}}", capture_name(capture)),
        };
        self.segments.iter().map(text).collect::<Vec<_>>().join("/")
    }

    /// Returns this path with the names of the captures of a path of the same shape.
    fn with_captures_of(mut self, first: &Self) -> Self {
        for (segment, known) in self.segments.iter_mut().zip(&first.segments) {
            if let (Segment::Capture(capture), Segment::Capture(known)) = (segment, known) {
                capture.name.clone_from(&known.name);
            }
        }
        self
    }

    fn captures(&self) -> impl Iterator<Item = &Capture> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Capture(capture) => Some(capture),
            Segment::Static(_) => None,
        })
    }

    fn capture_of(&self, parameter: &str) -> Option<&Capture> {
        self.captures().find(|capture| capture.parameters.iter().any(|name| name == parameter))
    }
}

fn parse_path(path: &str) -> Result<PathTemplate, String> {
    if path.contains(['?', '#']) {
        return Err("the path contains a query or a fragment".to_owned());
    }
    let inner = path.strip_prefix('/').unwrap_or(path);
    let mut template = PathTemplate::default();
    let trimmed = inner.trim_end_matches('/');
    if trimmed.len() < inner.len() {
        template.notes.push("the slash at the end of the path is removed".to_owned());
    }
    if trimmed.is_empty() {
        return Ok(template);
    }
    for text in trimmed.split('/') {
        let segment = parse_segment(text, &template)?;
        if let Segment::Capture(Capture { pattern: Some(_), name, .. }) = &segment {
            let note = format!("`{}` is one parameter, `{name}`: a capture is a whole segment", text.escape_debug());
            template.notes.push(note);
        }
        template.segments.push(segment);
    }
    Ok(template)
}

fn parse_segment(text: &str, before: &PathTemplate) -> Result<Segment, String> {
    if text.is_empty() {
        return Err("the path has an empty segment".to_owned());
    }
    let (mut parameters, mut pattern) = (Vec::new(), String::from("^"));
    let mut rest = text;
    while let Some((literal, capture)) = rest.split_once('{') {
        let Some((name, after)) = capture.split_once('}') else {
            return Err(format!("the segment `{text}` has a brace that is not closed"));
        };
        pattern += &escape_pattern(&decode(literal)?);
        pattern += ".+";
        parameters.push(name.to_owned());
        rest = after;
    }
    if parameters.is_empty() {
        if text.contains('}') {
            return Err(format!("the segment `{text}` has a brace that is not opened"));
        }
        let decoded = decode(text)?;
        // Clients resolve these segments before they send a request.
        if [".", ".."].contains(&&*decoded) {
            return Err(format!("the path has the segment `{text}`"));
        }
        return match decoded.contains(['{', '}']) {
            true => Err(format!("the segment `{text}` has a brace that is not a capture")),
            false => Ok(Segment::Static(decoded.into_owned())),
        };
    }
    pattern += &escape_pattern(&decode(rest)?);
    pattern.push('$');
    let is_whole = text == format!("{{{}}}", parameters[0]);
    let mut name = plain_name(&parameters.join("_"));
    while before.captures().any(|capture| capture.name == name) {
        name.push('_');
    }
    Ok(Segment::Capture(Capture { name, parameters, pattern: (!is_whole).then_some(pattern) }))
}

/// Decodes the percent-encoding of the text between two captures: a definition has segments without it.
fn decode(text: &str) -> Result<Cow<'_, str>, String> {
    let text_shown = text.escape_debug();
    let decoded = percent_decode(text).map_err(|_| format!("the percent-encoding in `{text_shown}` is not valid"))?;
    if decoded.contains('/') {
        return Err(format!("the segment `{text_shown}` contains an encoded slash"));
    }
    Ok(decoded)
}

fn escape_pattern(text: &str) -> String {
    text.chars().flat_map(|char| (!char.is_alphanumeric()).then_some('\\').into_iter().chain([char])).collect()
}

#[derive(Default)]
struct ConvertedResponses {
    pub outputs: Map<String, Json>,
    pub errors: Map<String, Json>,
    pub options: Map<String, Json>,
}

/// Converts all responses of an operation: the first success, and the errors.
fn convert_responses<'a>(converter: &mut Converter<'a>, operation: &'a Json, place: &Place) -> ConvertedResponses {
    let document = converter.document;
    let place = place.member("responses");
    let responses = document.read_members(operation, "responses");
    let is_success = |status: &str| status.starts_with('2');
    let mut statuses: Vec<&String> = responses.keys().filter(|status| is_success(status)).collect();
    statuses.sort();
    let has_content = |status: &&&String| {
        let found = document.find_target(&responses[status.as_str()], &place);
        found.is_ok_and(|(response, _)| !members(response.get("content")).is_empty())
    };
    // Of several successes, one with outputs says more than one without.
    let success = statuses.iter().find(has_content).or(statuses.first()).map(|status| status.as_str());
    let success = success.or_else(|| responses.contains_key("default").then_some("default"));
    let mut converted = ConvertedResponses::default();
    let mut error_names = std::collections::HashSet::new();
    for (status, response) in responses {
        let place = place.member(status);
        let is_success = Some(status.as_str()) == success;
        let error = status.parse::<u16>().ok().filter(|number| (400..600).contains(number));
        if is_extension(status) {
            document.record_whole(response);
            continue;
        }
        if !is_success && error.is_none() {
            let message = "only one success and the errors 400 to 599 are imported";
            converter.losses.add(LossKind::RESPONSE, &place, message);
            continue;
        }
        let Some((response, response_place)) = converter.resolve(response, &place, "the response is") else { continue };
        match error {
            Some(number) if !is_success => {
                let reason = reason(number);
                let name = unique_name(&slug(reason, '_'), &mut error_names);
                let text = |key: &str| document.read_text(response, key);
                let info = text("description").or_else(|| text("summary")).unwrap_or(reason);
                let error = json!({ "status": number, "info": info, ORIGIN_KEY: place.as_str() });
                converted.errors.insert(name, error);
                if !members(response.get("content")).is_empty() {
                    let message = "the envelope determines the body of an error response";
                    converter.losses.add(LossKind::ERROR_BODY, &response_place.member("content"), message);
                }
            }
            _ => convert_success(converter, status, response, &place, &response_place, &mut converted),
        }
    }
    converted
}

fn convert_success<'a>(
    converter: &mut Converter<'a>,
    status: &str,
    response: &'a Json,
    place: &Place,
    response_place: &Place,
    converted: &mut ConvertedResponses,
) {
    let document = converter.document;
    let number = status.parse::<u16>().ok().filter(|number| (200..300).contains(number));
    if number.is_none() {
        converter.losses.add(LossKind::RESPONSE, place, "the response gets the status 200");
    }
    if let Some(number) = number.filter(|number| *number != 200) {
        converted.options.insert("status".to_owned(), number.into());
    }
    if text(response, "description").is_some_and(|text| is_meaningless(text, number)) {
        document.read(response, "description");
    }
    let content = document.read_members(response, "content");
    let content_place = response_place.member("content");
    let json = content.iter().find(|(media_type, _)| is_json_media_type(media_type));
    let chosen = json.or_else(|| content.iter().next());
    for (other, _) in content.iter().filter(|(other, _)| chosen.is_some_and(|(chosen, _)| chosen != *other)) {
        let message = "the response is imported in one media type";
        converter.losses.add(LossKind::CONTENT_TYPE, &content_place.member(other), message);
    }
    let Some((media_type, chosen)) = chosen else { return };
    let media_place = content_place.member(media_type);
    if matches!(number, Some(204 | 205)) {
        converter.losses.add(LossKind::RESPONSE, &media_place, "a response with this status has no body");
        return;
    }
    if json.is_none() {
        if number == Some(206) {
            converter.losses.add(LossKind::RESPONSE, place, "the response gets the status 200");
            converted.options.shift_remove("status");
        }
        let message = format!("the method responds with a file; `{media_type}` is not described");
        converter.losses.add(LossKind::CONTENT_TYPE, &media_place, message);
        converted.options.insert("download".to_owned(), json!(true));
        return;
    }
    if chosen.get("schema").is_none() && media_type.contains('*') {
        converter.losses.add(LossKind::CONTENT_TYPE, &media_place, "the media type and the body are not described");
        return;
    }
    document.record(chosen);
    convert_outputs(converter, (response, chosen), &media_place, converted);
}

/// Converts the content of a response: the members of an object to outputs, any other body to an output that is the
/// whole body. Without a schema, the body is any JSON value.
fn convert_outputs<'a>(
    converter: &mut Converter<'a>,
    (response, content): (&'a Json, &'a Json),
    media_place: &Place,
    converted: &mut ConvertedResponses,
) {
    let document = converter.document;
    let (schema, place) = match content.get("schema") {
        Some(schema) => (schema, media_place.member("schema")),
        None => (any_schema(), media_place.clone()),
    };
    let is_named = reference_of(schema).is_some() || document.is_nullable(schema);
    let parts = converter.object_parts(schema, &place).filter(|parts| {
        let is_usable = parts.members.iter().all(|member| is_field_name(member.name) && member.name != "*");
        is_usable && !parts.members.is_empty() && parts.has_only_members() && !parts.has_constraints()
    });
    if let Some(parts) = parts.filter(|_| !is_named) {
        converter.read_parts(&parts);
        converted.outputs = converter.fields(&parts.members, "result");
        return;
    }
    let body = converter.convert(schema, &place, "result");
    let is_optional = body.is_nullable && body.term() != "any";
    if is_optional {
        converter.losses.widen(LossKind::NULL, &place, "the body can also be missing");
    }
    let description = document.read_description(schema);
    let info = description.or_else(|| document.read_text(response, "description")).unwrap_or("The response");
    let mut output = described(info, body, is_optional);
    let example = converter.content_example(content, media_place);
    if let Some(example) = example.or_else(|| converter.example(schema, &place)) {
        output.insert("example".to_owned(), example);
    }
    output.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
    converted.outputs.insert("*".to_owned(), output.into());
}

/// Returns `true` if the description of a success says only that it is one.
fn is_meaningless(description: &str, status: Option<u16>) -> bool {
    let is = |text: &str| description.trim_end_matches(['.', '!']).eq_ignore_ascii_case(text);
    let reason = match status {
        Some(201) => "Created",
        Some(202) => "Accepted",
        Some(204) => "No Content",
        Some(205) => "Reset Content",
        Some(206) => "Partial Content",
        _ => "OK",
    };
    [reason, "OK", "Response", "Success", "Successful operation", "Successful response"].into_iter().any(is)
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        507 => "Insufficient Storage",
        ..=499 => "Client Error",
        _ => "Server Error",
    }
}
