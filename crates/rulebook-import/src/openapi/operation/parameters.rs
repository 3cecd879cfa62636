//! Converts the parameters of operations, and request bodies to parameters in the body.

use std::collections::{HashMap, HashSet};

use rulebook_model::constraint::ConstraintKind;
use rulebook_model::model::{WHOLE_BODY_KEY, default_parameter_name};
use serde_json::{Map, Value as Json, json};

use super::OperationContext;
use crate::openapi::document::text;
use crate::openapi::losses::{LossKind, Place};
use crate::openapi::schema::{
    Converter, DefinitionName, Member, ORIGIN_KEY, ObjectParts, Type, accepts_all, any_schema, described, is_binary,
    is_same_constraint, schema_key_of, short,
};
use crate::openapi::{is_body_key, slug, unique_name};

/// The header fields whose parameters OpenAPI ignores.
const IGNORED_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

#[derive(Default)]
pub(super) struct Parameters {
    method: &'static str,
    pub entries: Map<String, Json>,
    pub constraints: Vec<Json>,
    /// The names in code.
    names: HashSet<String>,
    by_request_name: HashMap<String, Named>,
    /// The names of the parameters of the path that are only parts of segments.
    parts_of_segments: HashSet<String>,
}

/// The parameter that a name denotes in requests.
struct Named {
    /// The name in code.
    name: String,
    /// `true` if every request has a value of the parameter.
    is_always_given: bool,
}

impl Parameters {
    /// Adds a parameter. `name` is its name in code if its key has no other meaning. A parameter whose name in code is
    /// used by another one gets a number.
    pub(super) fn insert(&mut self, key: String, request_name: &str, name: &str, mut parameter: Map<String, Json>) {
        let is_usable = name != "*" && !name.contains(|char: char| char.is_whitespace() || char.is_control());
        let plain = if is_usable { name.to_owned() } else { slug(name, '_') };
        let unique = unique_name(if plain.is_empty() { "parameter" } else { &plain }, &mut self.names);
        let term = parameter.get("type").and_then(Json::as_str).unwrap_or_default();
        let is_always_given = !term.starts_with('?') || parameter.contains_key("default");
        if unique != name {
            parameter.insert("name".to_owned(), unique.clone().into());
        }
        self.by_request_name.entry(request_name.to_owned()).or_insert(Named { name: unique, is_always_given });
        self.entries.insert(key, parameter.into());
    }

    /// Returns the names in code of parameters by their names in requests, for constraints. A constraint that only
    /// concerns which parameters are given cannot have those that always are.
    pub(super) fn definition_name(&self) -> Box<DefinitionName<'_>> {
        Box::new(|request_name, compares| {
            let named = self.by_request_name.get(request_name)?;
            (compares || !named.is_always_given).then(|| named.name.clone())
        })
    }

    pub(super) fn add_constraints(&mut self, constraints: Vec<Json>) {
        for constraint in constraints {
            if !self.constraints.iter().any(|known| is_same_constraint(known, &constraint)) {
                self.constraints.push(constraint);
            }
        }
    }
}

pub(super) fn convert_parameters<'a>(
    converter: &mut Converter<'a>,
    operation: &'a Json,
    place: &Place,
    context: &OperationContext<'a, '_>,
) -> Parameters {
    let document = converter.document;
    let mut parameters = Parameters { method: context.method, ..Parameters::default() };
    let declared = document.read_items(operation, "parameters").iter().enumerate();
    let declared = declared.map(|(index, one)| (one, place.member("parameters").item(index)));
    let shared = context.shared.iter().enumerate();
    let shared = shared.map(|(index, one)| (one, context.item_place.member("parameters").item(index)));
    // A parameter of the operation replaces a parameter of the path with the same name.
    let all = declared.map(|(one, place)| (one, place, false)).chain(shared.map(|(one, place)| (one, place, true)));
    for (parameter, place, is_shared) in all {
        match document.find_target(parameter, &place) {
            Ok((target, target_place)) => {
                let target = (target, &target_place, is_shared);
                if convert_parameter(converter, target, context, &mut parameters) {
                    let _ = document.resolve(parameter, &place);
                }
            }
            Err(why) => {
                converter.losses.add(LossKind::REFERENCE, &place, format!("{why}: the parameter is omitted"));
            }
        }
    }
    let mut undescribed: Vec<String> = Vec::new();
    for capture in context.template.captures() {
        let key = format!("{{{}}}", capture.name);
        if !parameters.entries.contains_key(&key) {
            undescribed.extend(capture.pattern.is_none().then(|| format!("`{}`", capture.name)));
            let segment = Type::new("string").with_some("regex", capture.pattern.clone());
            parameters.insert(key, &capture.name, &capture.name, described(&capture.name, segment, false));
        }
    }
    if !undescribed.is_empty() {
        let message = format!("parameters of the path are not described: {}", undescribed.join(", "));
        converter.losses.add(LossKind::PARAMETER, place, message);
    }
    parameters.convert_body(converter, operation, place);
    let of_body = std::mem::take(&mut parameters.constraints);
    let place = place.member("x-constraints");
    let declared = converter.declared_constraints(operation, &place, &parameters.definition_name());
    parameters.add_constraints(declared);
    parameters.add_constraints(of_body);
    parameters
}

/// Converts a parameter, of the operation or shared by all operations of the path. Returns `false` if it is omitted,
/// and reported as a whole.
fn convert_parameter<'a>(
    converter: &mut Converter<'a>,
    (parameter, place, is_shared): (&'a Json, &Place, bool),
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) -> bool {
    let (Some(name), Some(location)) = (text(parameter, "name"), text(parameter, "in")) else {
        converter.losses.add(LossKind::PARAMETER, place, "the parameter has no name or no location");
        return false;
    };
    let document = converter.document;
    // Both `tags` and `tags[]` are names of an array in requests.
    let plain = name.strip_suffix("[]").unwrap_or(name);
    let capture = context.template.capture_of(name);
    let key = match (location, capture) {
        ("path", Some(capture)) => format!("{{{}}}", capture.name),
        ("path", None) => {
            converter.losses.add(LossKind::PARAMETER, place, "the path has no capture of this name");
            return false;
        }
        ("query", _) => format!("GET@{plain}"),
        ("header", _) if IGNORED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) => {
            document.record_whole(parameter);
            return true;
        }
        ("header", _) => format!("HEADER@{name}"),
        ("cookie", _) => format!("COOKIE@{name}"),
        (other, _) => {
            let message = format!("parameters cannot be in `{}`: the parameter is omitted", other.escape_debug());
            converter.losses.add(LossKind::PARAMETER, place, message);
            return false;
        }
    };
    let is_part = location == "path" && capture.is_some_and(|capture| capture.pattern.is_some());
    if is_part && parameters.parts_of_segments.insert(name.to_owned()) {
        for key in ["in", "name", "required"] {
            document.read(parameter, key);
        }
        let (_, schema_place) = value_schema(converter, parameter, place);
        let message = "the segment is checked by a pattern instead";
        converter.losses.widen(LossKind::PARAMETER, &schema_place, message);
        // The first of these parameters describes the segment.
        if parameters.entries.contains_key(&key) {
            return true;
        }
    }
    if parameters.entries.contains_key(&key) {
        if is_shared {
            document.record_whole(parameter);
        } else {
            let message = "another parameter has the same place in requests: the parameter is omitted";
            converter.losses.add(LossKind::PARAMETER, place, message);
        }
        return is_shared;
    }
    if plain.contains(['[', ']']) {
        let message = "the name has brackets, which mean members of an object: the parameter is omitted";
        converter.losses.add(LossKind::PARAMETER, place, message);
        return false;
    }
    for key in ["in", "name"] {
        document.read(parameter, key);
    }
    let is_required = document.read_flag(parameter, "required") || location == "path";
    let (schema, schema_place) = value_schema(converter, parameter, place);
    let hint = format!("{}_{plain}", parameters.method.to_ascii_lowercase());
    let mut converted = match capture.and_then(|capture| capture.pattern.clone()) {
        Some(pattern) => Type::new("string").with("regex", pattern),
        None => converter.convert(schema, &schema_place, &hint),
    };
    if parameter.get("schema").is_some() {
        let attributes = style_attributes(converter, (parameter, place), location, converted.term(), schema);
        converted.attributes.extend(attributes);
    }
    if is_required && converted.is_nullable {
        let message = "the parameter can also be missing, or cannot be null in the path";
        converter.losses.widen(LossKind::NULL, place, message);
    }
    let is_optional = location != "path" && (!is_required || converted.is_nullable);
    let info = document.read_text(parameter, "description").or_else(|| document.read_description(schema));
    let example = converter.content_example(parameter, place);
    example.iter().for_each(|example| converter.read_same_example(schema, example));
    let example = example.or_else(|| converter.example(schema, &schema_place));
    let mut entry = described(info.unwrap_or(name), converted, is_optional);
    if location == "path" {
        if let Some((default, place)) = converter.find_default(schema, &schema_place) {
            let message = format!("the default `{}` of a capture is never used", short(default));
            converter.losses.add(LossKind::DEFAULT, &place, message);
        }
    } else {
        entry.extend(converter.default_entry(schema, is_required, place));
    }
    entry.extend(example.map(|example| ("example".to_owned(), example)));
    entry.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
    let code_name = match location {
        "path" => key.trim_matches(['{', '}']).to_owned(),
        "header" => plain.to_ascii_lowercase(),
        _ => plain.to_owned(),
    };
    parameters.insert(key, name, &code_name, entry);
    true
}

fn value_schema<'a>(converter: &mut Converter<'a>, parameter: &'a Json, place: &Place) -> (&'a Json, Place) {
    if let Some(schema) = parameter.get("schema") {
        return (schema, place.member("schema"));
    }
    let document = converter.document;
    let Some((media_type, content)) = document.read_members(parameter, "content").iter().next() else {
        return (any_schema(), place.clone());
    };
    let place = place.member("content").member(media_type);
    if !content.is_object() {
        return (any_schema(), place);
    }
    document.record(content);
    let Some(schema) = content.get("schema") else { return (any_schema(), place) };
    let schema_place = place.member("schema");
    // Only arrays and objects are read as JSON. Numbers and booleans have the same text in JSON.
    if !is_json_media_type(media_type) || document.values(schema).kinds[2] || document.is_nullable(schema) {
        let message = "the value is read as JSON only if it is an array or an object";
        converter.losses.add(LossKind::STYLE, &place, message);
    }
    (schema, schema_place)
}

/// Returns the attributes for an array that is sent as one text, and reports the serializations that a definition
/// cannot express. `object` can have the keys `style` and `explode`. `location` is that of the values: `query`, also
/// for the fields of a form, `header`, `path` or `cookie`. `term` is the type that was made of `schema`.
pub(super) fn style_attributes<'a>(
    converter: &mut Converter<'a>,
    (object, place): (&Json, &Place),
    location: &str,
    term: &str,
    schema: &'a Json,
) -> Map<String, Json> {
    let document = converter.document;
    let is_form = matches!(location, "query" | "cookie");
    let name = document.read_text(object, "style").unwrap_or(if is_form { "form" } else { "simple" });
    document.read_flag(object, "explode");
    let explode = object.get("explode").and_then(Json::as_bool).unwrap_or(name == "form");
    let term = term.trim_start_matches('?');
    let is_array = term.starts_with("array<");
    let separator = match name {
        "simple" => Some(","),
        "form" if !explode || location == "cookie" => Some(","),
        "spaceDelimited" if !explode => Some(" "),
        "pipeDelimited" if !explode => Some("|"),
        _ => None,
    };
    // Only the type `array` itself has these attributes, but not a schema with a name, or a union.
    let kinds = document.values(schema).kinds;
    let is_split = separator.is_some() && kinds[3] && kinds != [true; 5];
    let is_object = ["object", "map<"].iter().any(|name| term.starts_with(name));
    let is_expressible = match name {
        "form" | "simple" | "spaceDelimited" | "pipeDelimited" => !is_object && (is_array || !is_split),
        "deepObject" => true,
        _ => false,
    };
    if !is_expressible {
        let message = format!("the style `{}` of this parameter cannot be expressed", name.escape_debug());
        converter.losses.add(LossKind::STYLE, place, message);
    }
    let mut attributes = Map::new();
    if let Some(separator) = separator.filter(|_| is_array) {
        attributes.insert("format".to_owned(), json!("explode"));
        if separator != "," {
            attributes.insert("separator".to_owned(), json!(separator));
        }
    }
    attributes
}

/// The media type of a form with files.
const MULTIPART: &str = "multipart/form-data";
const FORM: &str = "application/x-www-form-urlencoded";

/// The media type of a request body, or of one with the same schema.
struct Content<'a> {
    body: &'a Json,
    is_required: bool,
    media_type: &'a str,
    content: &'a Json,
    schema: Option<&'a Json>,
    place: Place,
    /// The key `encoding` of the form, and its place, if the fields can be sent as this form.
    encoding: Option<(&'a Json, Place)>,
}

impl Parameters {
    fn convert_body<'a>(&mut self, converter: &mut Converter<'a>, operation: &'a Json, place: &Place) {
        let document = converter.document;
        let place = place.member("requestBody");
        let Some(body) = operation.get("requestBody") else { return };
        if self.method == "GET" {
            converter.losses.add(LossKind::BODY, &place, "a GET request has no body");
            return;
        }
        let Some((body, place)) = converter.resolve(body, &place, "the body is") else { return };
        let all = document.read_members(body, "content");
        let is_required = document.read_flag(body, "required");
        let content_place = place.member("content");
        if self.method != "DELETE" && !all.is_empty() && all.iter().all(|part| is_file(converter, part, &content_place))
        {
            self.insert_file(converter, body, &place);
            return;
        }
        let Some((media_type, content)) = all.iter().min_by_key(|(media_type, _)| rank(media_type)) else { return };
        let schema = content.get("schema");
        let encoding = form_encoding(all, schema, &content_place);
        let chosen = Content {
            body,
            is_required,
            media_type,
            content,
            schema,
            place: content_place.member(media_type),
            encoding,
        };
        let schema_place = chosen.place.member("schema");
        let parts = chosen.schema.and_then(|schema| converter.object_parts(schema, &schema_place));
        let parts = parts.filter(|parts| !parts.members.is_empty());
        let is_json = rank(media_type) == 0 && (chosen.schema.is_some() || !media_type.contains('*'));
        let is_null = is_json && chosen.schema.is_some_and(|schema| document.is_nullable(schema));
        // Only the whole body can be null, or have members with the names of other keys, but it cannot be a form.
        let has_form = all.keys().any(|other| matches!(rank(other), 1 | 2));
        let is_key = |parts: &ObjectParts<'a>| parts.members.iter().all(|member| is_body_key(member.name));
        let has_fields =
            |parts: &ObjectParts<'a>| !is_json || has_form || self.method == "DELETE" || (!is_null && is_key(parts));
        let parts = parts.filter(has_fields);
        let is_whole = is_json && parts.is_none() && self.method != "DELETE";
        for (other, other_content) in all.iter().filter(|(other, _)| *other != media_type) {
            let place = content_place.member(other);
            let message = format!("the body is imported as `{media_type}`");
            // The server reads JSON and forms for each method, except if the whole body is a parameter.
            if is_whole || rank(other) == 3 {
                converter.losses.narrow(LossKind::CONTENT_TYPE, &place, message);
            } else if other_content.get("schema") == chosen.schema {
                document.record(other_content);
                document.read_whole(other_content, "schema");
            } else {
                converter.losses.add(LossKind::CONTENT_TYPE, &place, message);
            }
        }
        if is_whole {
            document.record(content);
            self.insert_whole_body(converter, &chosen);
            return;
        }
        if rank(media_type) == 3 || (rank(media_type) == 0 && !is_json) {
            let message = "the body is neither JSON nor a form: it is omitted";
            converter.losses.add(LossKind::BODY, &chosen.place, message);
            return;
        }
        let Some(parts) = parts else {
            let message = "the body is not an object with fields, which would be parameters: it is omitted";
            converter.losses.add(LossKind::BODY, &chosen.place, message);
            return;
        };
        if is_null {
            converter.losses.narrow(LossKind::BODY, &schema_place, "the body null is refused");
        }
        document.record(content);
        let others = match (is_json, has_form) {
            (true, false) => Some("the body can also be a form"),
            (false, _) => Some("the body can also be JSON"),
            (true, true) => None,
        };
        if let Some(message) = others {
            converter.losses.widen(LossKind::CONTENT_TYPE, &chosen.place, message);
        }
        self.insert_fields(converter, &chosen, &parts);
        let needs_field = |constraint: &Json| {
            [ConstraintKind::ExactlyOne, ConstraintKind::OneOrMore]
                .iter()
                .any(|kind| constraint.get(kind.key()).is_some())
        };
        let has_required =
            parts.members.iter().any(|member| member.is_required) || self.constraints.iter().any(needs_field);
        if !is_required && has_required {
            converter.losses.narrow(LossKind::BODY, &place, "a request without the body lacks required parameters");
        }
    }

    fn insert_fields<'a>(&mut self, converter: &mut Converter<'a>, chosen: &Content<'a>, parts: &ObjectParts<'a>) {
        converter.read_parts(parts);
        if let Some(key) = chosen.schema.and_then(schema_key_of) {
            converter.bodies.insert(key);
        }
        for closing in &parts.closings {
            let message = "unknown fields are handled as the setting `unknown` says";
            converter.losses.widen(LossKind::KEYWORD, &closing.place, message);
        }
        for others in parts.others.iter().filter(|others| !accepts_all(others.schema)) {
            converter.losses.widen(LossKind::KEYWORD, &others.place, "a body has no other fields than parameters");
        }
        for (_, place) in &parts.keys {
            converter.losses.widen(LossKind::KEYWORD, place, "the names of the fields of a body are not checked");
        }
        for place in &parts.bounds {
            converter.losses.widen(LossKind::KEYWORD, place, "the number of the fields of a body is not checked");
        }
        for member in &parts.members {
            self.insert_field(converter, member, chosen);
        }
        let constraints = converter.constraints((&parts.schemas, &parts.members), &self.definition_name());
        self.add_constraints(constraints);
    }

    /// Adds the whole body as a parameter. Without a schema, it is any JSON value.
    fn insert_whole_body<'a>(&mut self, converter: &mut Converter<'a>, chosen: &Content<'a>) {
        let document = converter.document;
        let (schema, place) = match chosen.schema {
            Some(schema) => (schema, chosen.place.member("schema")),
            None => (any_schema(), chosen.place.clone()),
        };
        let converted = converter.convert(schema, &place, "body");
        let needs_mark = converted.is_nullable && !matches!(converted.term(), "any" | "null");
        if chosen.is_required && needs_mark {
            converter.losses.widen(LossKind::NULL, &place, "the body can also be missing");
        }
        if !chosen.is_required && !converted.is_nullable && converted.term() != "any" {
            converter.losses.widen(LossKind::NULL, &place, "the body can also be null");
        }
        let is_optional = !chosen.is_required || needs_mark;
        let description = document.read_description(schema).or_else(|| document.read_text(chosen.body, "description"));
        let mut parameter = described(description.unwrap_or("The body"), converted, is_optional);
        parameter.extend(converter.default_entry(schema, chosen.is_required, &place));
        let example = converter.content_example(chosen.content, &chosen.place);
        let example = example.or_else(|| converter.example(schema, &place));
        parameter.extend(example.map(|example| ("example".to_owned(), example)));
        parameter.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
        self.insert_body(parameter);
    }

    fn insert_field<'a>(&mut self, converter: &mut Converter<'a>, member: &Member<'a>, chosen: &Content<'a>) {
        if !is_body_key(member.name) {
            converter.report_name(member, "a parameter in the body cannot have this name");
            return;
        }
        let file = if rank(chosen.media_type) == 1 { file_type(converter, member) } else { None };
        let mut field = match file {
            Some(file) => {
                let info = converter.document.read_description(member.schema).unwrap_or(member.name);
                described(info, file, !member.is_required)
            }
            None => converter.parameter_of_member(member, &self.method.to_ascii_lowercase()),
        };
        if let Some((encoding, place)) = &chosen.encoding {
            let document = converter.document;
            document.record(encoding);
            let part = document.read_object(encoding, member.name);
            // They belong to the parts of a form with files.
            document.read_whole(part, "headers");
            if part.get("style").is_some() || part.get("explode").is_some() {
                let term = field.get("type").and_then(Json::as_str).unwrap_or_default();
                let place = place.member(member.name);
                field.extend(style_attributes(converter, (part, &place), "query", term, member.schema));
            }
        }
        self.insert(member.name.to_owned(), member.name, member.name, field);
    }

    /// Adds the whole body as a file with the media types of a request body.
    fn insert_file<'a>(&mut self, converter: &mut Converter<'a>, body: &'a Json, place: &Place) {
        let document = converter.document;
        let content_place = place.member("content");
        let all = document.read_members(body, "content");
        let mut info = document.read_text(body, "description");
        for (media_type, content) in all {
            document.record(content);
            let schema_place = content_place.member(media_type).member("schema");
            if let Some(schema) = content.get("schema") {
                document.read(content, "schema");
                read_file(converter, schema, &schema_place);
                info = info.or(document.read_description(schema));
            }
        }
        let mut file = Type::new("file");
        let essences = || all.keys().map(|name| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        if essences().all(|essence| DETECTED_MEDIA_TYPES.contains(&essence.as_str())) {
            file.attributes.insert("range".to_owned(), essences().collect());
        } else if essences().any(|essence| essence != BINARY_MEDIA_TYPE) {
            converter.losses.widen(LossKind::CONTENT_TYPE, &content_place, "the body can have any media type");
        }
        let mut parameter = described(info.unwrap_or("The file"), file, !document.read_flag(body, "required"));
        parameter.insert(ORIGIN_KEY.to_owned(), content_place.as_str().into());
        self.insert_body(parameter);
    }

    fn insert_body(&mut self, parameter: Map<String, Json>) {
        self.insert(WHOLE_BODY_KEY.to_owned(), WHOLE_BODY_KEY, default_parameter_name(WHOLE_BODY_KEY), parameter);
    }
}

/// Returns the order in which media types are chosen: JSON, a form with files, another form, and any other media type.
pub(super) fn rank(media_type: &str) -> u8 {
    match media_type.split(';').next().unwrap_or_default().trim() {
        MULTIPART => 1,
        FORM => 2,
        other if is_json_media_type(other) => 0,
        _ => 3,
    }
}

/// Returns the key `encoding` of the form with this schema, and its place. The fields of a form with files are sent
/// otherwise.
fn form_encoding<'a>(
    all: &'a Map<String, Json>,
    schema: Option<&Json>,
    content_place: &Place,
) -> Option<(&'a Json, Place)> {
    if all.keys().any(|media_type| rank(media_type) == 1) {
        return None;
    }
    let (media_type, form) =
        all.iter().find(|(media_type, form)| rank(media_type) == 2 && form.get("schema") == schema)?;
    let encoding = form.get("encoding").filter(|encoding| encoding.is_object())?;
    Some((encoding, content_place.member(media_type).member("encoding")))
}

/// Returns the type of a field that contains a file, or a list of files.
fn file_type<'a>(converter: &Converter<'a>, member: &Member<'a>) -> Option<Type> {
    let document = converter.document;
    let (schema, _) = document.find_target(member.schema, &member.place).ok()?;
    if is_binary(schema) {
        return read_file(converter, member.schema, &member.place).map(|()| Type::new("file"));
    }
    let item = schema.get("items").filter(|_| schema.get("type").is_some_and(|name| name == "array"))?;
    let (target, _) = document.find_target(item, &member.place).ok()?;
    if !is_binary(target) {
        return None;
    }
    let _ = document.resolve(member.schema, &member.place);
    document.read(schema, "type");
    document.read(schema, "items");
    let mut files = Type::new("array<file>");
    files.attributes.extend(converter.item_counts(schema));
    read_file(converter, item, &member.place).map(|()| files)
}

/// Returns `true` for the media types of JSON, and for `*/*`, which descriptions use for JSON.
pub(super) fn is_json_media_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "*/*" | "application/*" | "application/json" | "text/json") || essence.ends_with("+json")
}

const BINARY_MEDIA_TYPE: &str = "application/octet-stream";
/// Media types that the server detects in files. A file of another one would never have it.
const DETECTED_MEDIA_TYPES: [&str; 16] = [
    "application/gzip",
    "application/pdf",
    "application/zip",
    "audio/*",
    "audio/mpeg",
    "image/*",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "text/plain",
    "video/*",
    "video/mp4",
];

/// Returns `true` if a body with this media type is a file: it is neither JSON nor a form, and its schema is that of
/// bytes or of a text.
pub(super) fn is_file(converter: &Converter<'_>, (media_type, content): (&String, &Json), place: &Place) -> bool {
    let schema = content.get("schema").map(|schema| converter.document.find_target(schema, place));
    let is_text = |schema: &Json| is_binary(schema) || schema.get("type").is_some_and(|name| name == "string");
    rank(media_type) == 3 && schema.is_none_or(|found| found.is_ok_and(|(schema, _)| is_text(schema)))
}

pub(super) fn read_file<'a>(converter: &Converter<'a>, schema: &'a Json, place: &Place) -> Option<()> {
    let document = converter.document;
    let _ = document.resolve(schema, place);
    let (schema, _) = document.find_target(schema, place).ok()?;
    document.read(schema, "type");
    document.read(schema, "format");
    if schema.get("contentMediaType").is_some_and(|name| name == BINARY_MEDIA_TYPE) {
        document.read(schema, "contentMediaType");
    }
    Some(())
}
