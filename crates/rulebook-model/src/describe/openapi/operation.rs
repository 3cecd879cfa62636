//! The OpenAPI operation that describes a method at one of its paths, its parameters, and the parts that operations
//! share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};
use utoipa::openapi::path::{self, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Components, ContentBuilder, Required};

use super::errors::possible_error_classes;
use super::responses::ErrorResponses;
use super::schemas::{SchemaPlace, Schemas, folded, to_component_name, with_description};
use super::serialization::{
    Placement, TextStyle, alternative_note, default_for_documents, text_encoding, value_for_documents,
};
use super::{OpenapiDetail, request_body, response_headers};
use crate::call::{Callback, HttpMethod, Value};
use crate::describe::example;
use crate::describe::in_words::{describe_idempotency, reads_key_as_parameter};
use crate::distinct_names::{candidates, distinct_names};
use crate::model::{Api, Idempotency, Location, Method, Module, Parameter};

/// Describes the operations of a document. Parts of operations that have the same content are described once.
pub(super) struct OperationDescriber<'a> {
    api: &'a Api,
    detail: OpenapiDetail,
    schemas: Schemas,
    error_responses: ErrorResponses,
    parameters: Parts,
    request_bodies: Parts,
    responses: Parts,
}

/// A method, and its name in the document.
#[derive(Clone, Copy)]
pub(super) struct DescribedMethod<'a> {
    pub(super) module: &'a Module,
    pub(super) method: &'a Method,
    /// The id of the operation for the method at its longest path.
    pub(super) name: &'a str,
}

pub(super) struct DescribedOperation {
    pub(super) parameters: Box<[PartIndex]>,
    /// The request body; `None` if no parameter is read from the body.
    pub(super) request_body: Option<PartIndex>,
    pub(super) responses: BTreeMap<String, PartIndex>,
}

impl<'a> OperationDescriber<'a> {
    pub(super) fn new(api: &'a Api, detail: OpenapiDetail) -> Self {
        let mut schemas = Schemas::new(api);
        Self {
            api,
            detail,
            error_responses: ErrorResponses::new(api, detail, &mut schemas),
            schemas,
            parameters: Parts::new("parameters"),
            request_bodies: Parts::new("requestBodies"),
            responses: Parts::new("responses"),
        }
    }

    /// `segments` are the parameters in the path, with their names in the path.
    pub(super) fn describe(
        &mut self,
        described: DescribedMethod<'_>,
        segments: &[(&str, &Parameter)],
    ) -> DescribedOperation {
        let DescribedMethod { module, method, .. } = described;
        self.schemas.begin_method(method);
        let parameters = self.describe_parameters(described, segments);
        let request_body = self.describe_request_body(described);
        let classes = possible_error_classes(self.api, (module, method), request_body.is_some());
        let contents = (&mut self.responses, &mut self.schemas);
        let responses = self.error_responses.operation_responses(self.api, described, &classes, contents);
        parameters.iter().for_each(|index| self.parameters.count_occurrence(*index));
        request_body.into_iter().for_each(|index| self.request_bodies.count_occurrence(index));
        responses.values().for_each(|index| self.responses.count_occurrence(*index));
        DescribedOperation { parameters, request_body, responses }
    }

    fn describe_parameters(
        &mut self,
        described: DescribedMethod<'_>,
        segments: &[(&str, &Parameter)],
    ) -> Box<[PartIndex]> {
        let Self { api, detail, parameters: parts, schemas, .. } = self;
        let placed = operation_parameters(described.method, segments);
        let mut indexes = Vec::new();
        for parameter in &placed {
            let content = describe_parameter(*parameter, described, schemas);
            indexes.push(parts.find_or_add(&content, part_name(parameter.name, described), schemas));
        }
        for (name, content) in server_parameters(api, *detail, described.method, &placed, schemas) {
            indexes.push(parts.find_or_add(&content, part_name(name, described), schemas));
        }
        indexes.into()
    }

    fn describe_request_body(&mut self, described: DescribedMethod<'_>) -> Option<PartIndex> {
        let fields = request_body::body_fields(described.method);
        if fields.is_empty() {
            return None;
        }
        let body = request_body::request_body((self.api, self.detail), &fields, described, &mut self.schemas);
        Some(self.request_bodies.find_or_add(&body, part_name("Request", described), &mut self.schemas))
    }

    /// Adds the components of this document to those in `others`. Fails if a component cannot be serialized.
    pub(super) fn make_components(&mut self, mut others: Components) -> serde_json::Result<Map<String, Json>> {
        others.headers = match self.detail {
            OpenapiDetail::Full => response_headers::header_components(self.api, &mut self.schemas),
            OpenapiDetail::Lean => BTreeMap::new(),
        };
        others.schemas = self.schemas.component_placeholders();
        let mut others = serde_json::to_value(others)?;
        self.schemas.fill_placeholders(&mut others);
        let mut components = Map::new();
        components.extend(others.get_mut("schemas").map(|schemas| ("schemas".to_owned(), schemas.take())));
        let kinds = [&mut self.responses, &mut self.parameters, &mut self.request_bodies];
        for (member, object) in Parts::name_components(kinds, self.schemas.folded_names()) {
            if !object.is_empty() {
                components.insert(member.to_owned(), Json::Object(object));
            }
        }
        if let Json::Object(others) = others {
            components.extend(others.into_iter().filter(|(_, component)| !component.is_null()));
        }
        Ok(components)
    }

    pub(super) fn parameters(&self) -> &Parts {
        &self.parameters
    }

    pub(super) fn request_bodies(&self) -> &Parts {
        &self.request_bodies
    }

    pub(super) fn responses(&self) -> &Parts {
        &self.responses
    }
}

/// Returns the names of a part that equal parts of other methods in the module share.
fn part_name(base: &str, DescribedMethod { module, name, .. }: DescribedMethod<'_>) -> PartName {
    let base = to_component_name(base);
    PartName {
        scope: module.name.clone(),
        candidates: vec![format!("{}.{base}", to_component_name(&module.name)), format!("{name}.{base}")],
        is_always_component: false,
    }
}

// Parts: parameters, request bodies and responses. A part that occurs more than once with the same content is written
// once, as a component, and each operation refers to the component. A part that occurs once is written in its
// operation.

pub(super) type PartIndex = usize;

/// All parts of one kind, such as parameters, that the operations of a document have.
pub(super) struct Parts {
    /// The member of the document's components that contains shared parts of this kind.
    member: &'static str,
    parts: Vec<Part>,
    /// The index of each part, by its scope and its text.
    indexes: HashMap<(Rc<str>, Rc<str>), PartIndex>,
}

/// A part. Parts are kept as text, which needs much less memory than JSON values.
struct Part {
    text: Rc<str>,
    occurrences: usize,
    name: PartName,
    /// The name of the component; `None` if the part is written in its operation.
    component_name: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct PartName {
    /// The module or the method within which equal parts are one component, so that its name depends on nothing
    /// outside; empty for the whole document.
    pub(super) scope: String,
    /// The names. The component has the first one that no other component can have.
    pub(super) candidates: Vec<String>,
    /// `true` if the part is a component even if it occurs only once.
    pub(super) is_always_component: bool,
}

impl Parts {
    /// Creates an empty collection of parts. `member` is the member of the document's components for these parts.
    pub(super) fn new(member: &'static str) -> Self {
        Self { member, parts: Vec::new(), indexes: HashMap::new() }
    }

    /// `part` can contain placeholders for schemas.
    pub(super) fn find_or_add(&mut self, part: &impl Serialize, name: PartName, schemas: &mut Schemas) -> PartIndex {
        // Serializing a part of the document never fails.
        let mut json = serde_json::to_value(part).unwrap_or_default();
        schemas.fill_placeholders(&mut json);
        let text: Rc<str> = json.to_string().into();
        let next = self.parts.len();
        let index = *self.indexes.entry((name.scope.as_str().into(), Rc::clone(&text))).or_insert(next);
        if index == next {
            self.parts.push(Part { text, occurrences: 0, name, component_name: None });
        }
        index
    }

    fn count_occurrence(&mut self, index: PartIndex) {
        if let Some(part) = self.parts.get_mut(index) {
            part.occurrences += 1;
        }
    }

    /// Returns those of the parts that are components: the parts that occur more than once, and error responses.
    fn components(&mut self) -> impl Iterator<Item = &mut Part> {
        self.parts.iter_mut().filter(|part| part.occurrences > 1 || part.name.is_always_component)
    }

    /// Returns the components of all kinds of parts, and gives them names. No two of them, and none of the names in
    /// `reserved`, are the same to a generator of code, which can write all of them to one file.
    fn name_components<const N: usize>(
        mut kinds: [&mut Self; N],
        reserved: &HashSet<String>,
    ) -> [(&'static str, Map<String, Json>); N] {
        let names = |part: &mut Part| candidates(part.name.candidates.clone(), ".", &part.text);
        let all = kinds.iter_mut().flat_map(|parts| parts.components().map(names));
        let all = all.chain(reserved.iter().map(|name| vec![name.clone()]));
        let mut names = distinct_names(all, folded).into_iter();
        kinds.map(|parts| {
            let mut components = Map::new();
            for part in parts.components() {
                let name = names.next().unwrap_or_default();
                components.insert(name.clone(), parse_part(&part.text));
                part.component_name = Some(name);
            }
            components.sort_keys();
            (parts.member, components)
        })
    }

    pub(super) fn part_in_operation(&self, index: PartIndex) -> PartInOperation<'_> {
        let part = self.parts.get(index);
        match part.map(|part| (&part.component_name, &*part.text)) {
            Some((Some(name), _)) => PartInOperation::Reference { member: self.member, name },
            Some((None, text)) => PartInOperation::Inline(text),
            None => PartInOperation::Inline("{}"),
        }
    }
}

pub(super) enum PartInOperation<'p> {
    /// A reference to the component `name` in the member `member` of the components.
    Reference { member: &'static str, name: &'p str },
    /// The JSON text of the part.
    Inline(&'p str),
}

impl Serialize for PartInOperation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Reference { member, name } => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry("$ref", &format_args!("#/components/{member}/{name}"))?;
                object.end()
            }
            Self::Inline(text) => serde_json::from_str::<Json>(text).map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

fn parse_part(text: &str) -> Json {
    // The text was made from a JSON value, so that it is always valid.
    serde_json::from_str(text).unwrap_or_default()
}

// Parameters. Those in the request body are not included, because OpenAPI describes them as a part of the body.

/// The header fields that OpenAPI does not allow as parameters (OpenAPI 3.1.1, Parameter Object, `name`).
const HEADERS_IGNORED_BY_OPENAPI: [&str; 3] = ["accept", "content-type", "authorization"];

#[derive(Clone, Copy)]
pub(super) struct PlacedParameter<'a> {
    pub(super) name: &'a str,
    pub(super) parameter: &'a Parameter,
    pub(super) placement: Placement,
}

/// Returns the part of a request that carries a parameter, or `None` if the body carries the parameter.
pub(in crate::describe) fn placement(http: HttpMethod, parameter: &Parameter) -> Option<Placement> {
    match parameter.from {
        Location::Path | Location::Position(_) => Some(Placement::Path),
        Location::Query => Some(Placement::Query),
        Location::Any if !has_request_body(http) => Some(Placement::Query),
        Location::Header => Some(Placement::Header),
        Location::Cookie => Some(Placement::Cookie),
        Location::Any | Location::Body | Location::WholeBody => None,
    }
}

pub(super) fn has_request_body(http: HttpMethod) -> bool {
    !matches!(http, HttpMethod::Get | HttpMethod::Delete)
}

pub(super) fn is_ignored_header(parameter: &Parameter) -> bool {
    parameter.from == Location::Header && HEADERS_IGNORED_BY_OPENAPI.contains(&parameter.key.as_str())
}

/// `segments` are the parameters in the path of the operation, with their names in the path.
fn operation_parameters<'a>(method: &'a Method, segments: &[(&'a str, &'a Parameter)]) -> Vec<PlacedParameter<'a>> {
    let mut placed: Vec<_> = segments
        .iter()
        .map(|(name, parameter)| PlacedParameter { name, parameter, placement: Placement::Path })
        .collect();
    for parameter in method.parameters.iter().filter(|parameter| !is_ignored_header(parameter)) {
        let Some(placement) = placement(method.http, parameter).filter(|placement| *placement != Placement::Path)
        else {
            continue;
        };
        let name = parameter.key.as_str();
        // If two parameters are read from the same field of a request, only the first parameter is described.
        if !placed.iter().any(|other| other.name == name && other.placement == placement) {
            placed.push(PlacedParameter { name, parameter, placement });
        }
    }
    placed
}

fn openapi_location(placement: Placement) -> ParameterIn {
    match placement {
        Placement::Path => ParameterIn::Path,
        // OpenAPI describes the fields of a form as part of the request body.
        Placement::Query | Placement::Form => ParameterIn::Query,
        Placement::Header => ParameterIn::Header,
        Placement::Cookie => ParameterIn::Cookie,
    }
}

fn describe_parameter(
    PlacedParameter { name, parameter, placement }: PlacedParameter<'_>,
    described: DescribedMethod<'_>,
    schemas: &mut Schemas,
) -> path::Parameter {
    let method = described.method;
    let is_required = placement == Placement::Path || !parameter.optional;
    let encoding = text_encoding(&parameter.r#type, placement, is_required);
    let notes = encoding.note.into_iter().chain(alternative_note(parameter, placement, &encoding.style));
    let info = notes.fold(parameter.info.clone(), |info, note| format!("{info}\n\n{note}"));
    let place = SchemaPlace { method: described.name, part: placement.as_str(), key: name };
    let schema = schemas.add_referenced(encoding.schema, &*parameter.r#type.check, place);
    let schema = schemas.type_schema_or_reference(place, schema);
    let value = example::parameter_example(method, parameter);
    let example = value.and_then(|value| value_for_documents(&parameter.r#type, &encoding.style, value));
    // The serialization of a value other than a text can contain characters that are not allowed in this part of the
    // request. A default or an example with such characters is omitted.
    let is_json = matches!(encoding.style, TextStyle::Json | TextStyle::Members);
    let is_sendable = |value: &Json| is_json || example::is_sendable(parameter.from, &Value::from(value));
    let example = example.filter(is_sendable);
    let default = default_for_documents(parameter, &encoding.style).filter(is_sendable);
    let schema = with_default_and_example(schema, parameter, default, example.as_ref());
    // Some tools, such as Swagger UI, send every parameter that has an example here. The schema contains the others.
    let example = example.filter(|_| is_required);
    let (style, explode) = encoding.style.openapi_style_and_explode(placement);
    let builder = ParameterBuilder::new()
        .name(name)
        .parameter_in(openapi_location(placement))
        .description(Some(info))
        .required(if is_required { Required::True } else { Required::False })
        .style(style)
        .explode(explode);
    let schema = schemas.add_with_placeholder(schema);
    if encoding.style == TextStyle::Json {
        let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
        builder.content("application/json", content).build()
    } else {
        builder.schema(Some(schema)).example(example).build()
    }
}

/// The description is not added, because the OpenAPI parameter has a separate member for it.
fn with_default_and_example(
    schema: Json,
    parameter: &Parameter,
    default: Option<Json>,
    example: Option<&Json>,
) -> Json {
    let example = example.filter(|_| example::has_additional_example(parameter));
    let mut schema = with_description(schema, &parameter.info, default, example);
    if let Json::Object(members) = &mut schema {
        members.remove("description");
    }
    schema
}

// Parameters that the server itself reads, whatever the definition of a method says: the header fields with which a
// client requests a link to a file and repeats a request safely, and the query parameter for JSONP.

const LINK_REQUEST_HEADER: &str = "X-Requested-With";

const LINK_REQUEST_DESCRIPTION: &str =
    "With the value `XMLHttpRequest` the response is a link to the file instead of the file itself";
const CALLBACK_DESCRIPTION: &str = "The name of a JavaScript function, for JSONP: the response is a script that calls \
    this function with the body. Its status is always 200, and the real status is in the body. A request with \
    `Authorization` is refused, and cookies are ignored";

/// Returns the parameters that the server reads, each with its name, except those that the method has declared.
/// `declared` are the parameters of the operation.
fn server_parameters(
    api: &Api,
    detail: OpenapiDetail,
    method: &Method,
    declared: &[PlacedParameter<'_>],
    schemas: &mut Schemas,
) -> Vec<(&'static str, path::Parameter)> {
    let mut parameters = Vec::new();
    let mut add = |name, from, required, description: String, schema: Json| {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(from)
            .required(required)
            .description(Some(description))
            .schema(Some(schemas.add_with_placeholder(schema)));
        parameters.push((name, parameter.build()));
    };
    if method.options.download && !declared.iter().any(|it| it.name.eq_ignore_ascii_case(LINK_REQUEST_HEADER)) {
        // The server ignores other values.
        let schema = json!({ "type": "string" });
        add(LINK_REQUEST_HEADER, ParameterIn::Header, Required::False, LINK_REQUEST_DESCRIPTION.to_owned(), schema);
    }
    if let Some(description) = describe_idempotency(api, method).filter(|_| !reads_key_as_parameter(method)) {
        let is_required = method.options.idempotent == Some(Idempotency::Required);
        let required = if is_required { Required::True } else { Required::False };
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": api.limits.idempotency_key });
        add(Idempotency::HEADER, ParameterIn::Header, required, description, schema);
    }
    if method.allows_jsonp(api.jsonp) && detail == OpenapiDetail::Full {
        let schema = json!({ "type": "string", "pattern": Callback::PATTERN, "maxLength": Callback::MAX_LEN });
        add(Callback::PARAMETER, ParameterIn::Query, Required::False, CALLBACK_DESCRIPTION.to_owned(), schema);
    }
    parameters
}
