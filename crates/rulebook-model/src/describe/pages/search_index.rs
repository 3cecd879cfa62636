//! The texts that the search compares with the words of a query: those of API modules, methods, schemas and errors, in
//! lower case.

use super::search_url::{RequestUrl, ServiceUrls};
use super::spelling::Spelling;
use super::{MethodEntry, Pages, responses};
use crate::call::HttpMethod;
use crate::describe::canonical_schemas::schemas_in_types;
use crate::describe::openapi;
use crate::error::ErrorCode;
use crate::model::Schema;
use crate::types::{Check, Structure};

/// The weight of a method that a request for a URL in the query calls. It is larger than the weights of all words.
const URL_WEIGHT: u32 = 1000;

/// The additional weight of a method that contains the words of the query themselves, so that it is listed before those
/// that contain synonyms. It is larger than the weights of all words, and smaller than [`URL_WEIGHT`].
const TYPED_WEIGHT: u32 = 200;

/// The maximum number of schemas of a method's parameters by whose members a search finds the method.
const MAX_SCHEMAS_OF_METHOD: usize = 50;

/// The minimum length in bytes of the longest word of a query that finds errors of the server.
const MIN_ERROR_WORD_LEN: usize = 3;

/// The texts of all API modules, methods, schemas and errors of the server, in lower case.
#[derive(Debug)]
pub(super) struct SearchIndex {
    module_texts: Vec<String>,
    method_texts: Vec<MethodTexts>,
    schema_texts: Vec<String>,
    error_texts: Vec<(ErrorCode, String)>,
    service_urls: ServiceUrls,
    spelling: Spelling,
}

/// The texts of a method in three groups. The group of a text determines the weight of a match in this text.
#[derive(Debug)]
struct MethodTexts {
    /// The id, the HTTP method and the URI of the method.
    id_and_uri: String,
    info: String,
    /// The name of the API module, the permissions, the statuses, and the names and descriptions of the parameters, the
    /// outputs, the errors, and the members of parameters.
    other_texts: String,
    http: HttpMethod,
    service: usize,
    /// The number of positional parameters, which are segments after the path of the service.
    positions: usize,
}

/// What a query finds: the indexes of API modules, methods and schemas, and errors of the server.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) modules: Vec<usize>,
    /// The weight and the index of each method.
    pub(super) methods: Vec<(u32, usize)>,
    pub(super) schemas: Vec<usize>,
    pub(super) errors: Vec<ErrorCode>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.modules.is_empty() && self.methods.is_empty() && self.schemas.is_empty() && self.errors.is_empty()
    }
}

impl MethodTexts {
    fn new(service: usize, MethodEntry { module, uri, method }: MethodEntry<'_>) -> Self {
        let statuses = method.errors.iter().map(|error| error.status.get()).chain(method.statuses());
        let statuses: String = statuses.map(|status| format!("{status}\n")).collect();
        let types = method.parameters.iter().map(|parameter| &*parameter.r#type.check);
        let members = member_texts(types);
        let parameters = method.parameters.iter();
        let parameters = parameters.flat_map(|parameter| [&*parameter.key, &parameter.name, &parameter.info]);
        let outputs = method.outputs.iter().flat_map(|output| [output.name.as_str(), &output.info]);
        let errors = method.errors.iter().flat_map(|error| [error.name.as_str(), &error.info]);
        let permissions = method.scope.groups.iter().flatten().map(|permission| permission.text.as_str());
        let names =
            [module.name.as_str(), if method.options.deprecation.is_some() { "deprecated" } else { "" }, &statuses];
        let other_texts = names.into_iter().chain(permissions).chain(parameters).chain(outputs).chain(errors);
        let other_texts = other_texts.chain(members.iter().map(String::as_str));
        Self {
            id_and_uri: join_lowercase_lines([method.id.as_str(), method.http.as_str(), uri].into_iter()),
            info: method.info.to_lowercase(),
            other_texts: join_lowercase_lines(other_texts),
            http: method.http,
            service,
            positions: method.positions().len(),
        }
    }

    /// Returns the sum of the weights of all groups that contain a word, or `None` if no group contains the word.
    fn weight(&self, word: &str) -> Option<u32> {
        let weights = [(&self.id_and_uri, 9), (&self.info, 3), (&self.other_texts, 1)];
        let weight = weights.into_iter().map(|(text, weight)| if text.contains(word) { weight } else { 0 }).sum();
        (weight > 0).then_some(weight)
    }

    fn is_called_by(&self, url: &RequestUrl<'_>) -> bool {
        let is_called = |(service, positions)| service == self.service && positions <= self.positions;
        url.called.is_some_and(is_called) && url.http.is_none_or(|http| http == self.http)
    }

    fn texts(&self) -> [&str; 3] {
        [&self.id_and_uri, &self.info, &self.other_texts]
    }
}

impl SearchIndex {
    pub(super) fn new(pages: &Pages) -> Self {
        let modules = pages.api.modules.iter();
        let modules = modules
            .map(|module| join_lowercase_lines([module.name.as_str()].into_iter().chain(module.info.as_deref())));
        let module_texts: Vec<_> = modules.collect();
        let entries = pages.method_entries(0..pages.methods.len());
        let method_texts: Vec<_> =
            entries.map(|(index, entry)| MethodTexts::new(pages.methods[index].uri_index, entry)).collect();
        let schemas = (0..pages.schemas.len()).map(|index| pages.schema(index));
        let schema_texts: Vec<_> = schemas.map(schema_text).collect();
        let error_texts = error_texts(pages);
        let of_methods = method_texts.iter().flat_map(MethodTexts::texts);
        let of_modules = module_texts.iter().map(String::as_str);
        let of_errors = error_texts.iter().map(|(_, text)| text.as_str());
        let of_schemas = schema_texts.iter().map(String::as_str);
        let spelling = Spelling::new(of_methods.chain(of_modules).chain(of_schemas).chain(of_errors));
        let service_urls = ServiceUrls::new(&pages.api);
        Self { module_texts, method_texts, schema_texts, error_texts, service_urls, spelling }
    }

    /// Returns the URL that a query consists of, with the service that a request for the URL calls. Returns `None` if
    /// the query is not a URL.
    pub(super) fn parse_url<'q>(&self, query: &'q str) -> Option<RequestUrl<'q>> {
        self.service_urls.parse(query)
    }

    /// Returns what contains all words of one of the queries, of which the first is the typed one, and others have
    /// synonyms. The words must be in lower case. `url` is a URL in the query: the methods that a request for this URL
    /// calls are found too.
    pub(super) fn find(&self, queries: &[Vec<String>], url: Option<&RequestUrl<'_>>) -> Found {
        let contains = |text: &String, words: &Vec<String>| words.iter().all(|word| text.contains(word.as_str()));
        let contains_any = |text: &String| queries.iter().any(|words| contains(text, words));
        let modules = self.module_texts.iter().enumerate().filter(|(_, text)| contains_any(text));
        let schemas = self.schema_texts.iter().enumerate().filter(|(_, text)| contains_any(text));
        // Shorter words are part of the names of most errors.
        let is_long = |words: &&Vec<String>| words.iter().any(|word| word.len() >= MIN_ERROR_WORD_LEN);
        let long: Vec<_> = queries.iter().filter(is_long).collect();
        let errors = self.error_texts.iter().filter(|(_, text)| long.iter().any(|words| contains(text, words)));
        let weight = |texts: &MethodTexts| {
            let by_url = url.is_some_and(|url| texts.is_called_by(url)).then_some(URL_WEIGHT);
            let by_words = |words: &Vec<String>| words.iter().map(|word| texts.weight(word)).sum::<Option<u32>>();
            let typed = || queries.first().and_then(by_words).map(|weight| weight + TYPED_WEIGHT);
            by_url.or_else(typed).or_else(|| queries.iter().filter_map(by_words).max())
        };
        let methods = self.method_texts.iter().enumerate().filter_map(|(at, texts)| Some((weight(texts)?, at)));
        Found {
            modules: modules.map(|(index, _)| index).collect(),
            methods: methods.collect(),
            schemas: schemas.map(|(index, _)| index).collect(),
            errors: errors.map(|(code, _)| *code).collect(),
        }
    }

    /// Returns the URL with corrected spelling of its path, or `None` if no segment can be corrected.
    pub(super) fn correct_url<'q>(&self, url: &RequestUrl<'q>) -> Option<RequestUrl<'q>> {
        self.service_urls.with_corrected_segments(url, |segment| self.spelling.correct(segment).map(str::to_owned))
    }

    /// Returns the methods that contain at least one of the words, each with its weight.
    pub(super) fn methods_with_any(&self, words: &[String]) -> Vec<(u32, usize)> {
        let weight = |texts: &MethodTexts| words.iter().filter_map(|word| texts.weight(word)).sum::<u32>();
        let weights = self.method_texts.iter().enumerate().map(|(at, texts)| (weight(texts), at));
        weights.filter(|(weight, _)| *weight > 0).collect()
    }

    /// Returns known words that are similar to a word in lower case, beginning with the most similar.
    pub(super) fn similar_words(&self, word: &str) -> Vec<&str> {
        self.spelling.similar(word)
    }

    /// Returns the words with corrected spelling, or `None` if no word can be corrected.
    pub(super) fn correct(&self, words: &[String]) -> Option<Vec<String>> {
        let corrected: Vec<_> = words.iter().map(|word| self.spelling.correct(word).unwrap_or(word)).collect();
        let is_changed = corrected.iter().zip(words).any(|(corrected, word)| corrected != word);
        is_changed.then(|| corrected.into_iter().map(str::to_owned).collect())
    }
}

/// Returns the names and the descriptions of the members of types, also of those in other members and in schemas.
fn member_texts<'c>(types: impl Iterator<Item = &'c dyn Check> + Clone) -> Vec<String> {
    let mut texts = Vec::new();
    for schema in schemas_in_types(types.clone()).values().take(MAX_SCHEMAS_OF_METHOD) {
        add_member_texts(&*schema.check, &mut texts);
    }
    types.for_each(|check| add_member_texts(check, &mut texts));
    texts
}

fn add_member_texts(check: &dyn Check, texts: &mut Vec<String>) {
    match check.structure() {
        // The schemas to which a type refers are in a list, because they can refer to each other.
        Structure::Schema(_) | Structure::Scalar => {}
        Structure::Nullable(inner) | Structure::Array(inner) | Structure::Map(inner) => {
            add_member_texts(&*inner, texts);
        }
        Structure::Union(types) => types.iter().for_each(|branch| add_member_texts(&**branch, texts)),
        Structure::TaggedUnion { branches, .. } => {
            branches.iter().for_each(|(_, branch)| add_member_texts(&**branch, texts));
        }
        Structure::Object(shape) => {
            for field in shape.fields {
                add_member_texts(&*field.check, texts);
                texts.extend([field.name, field.info]);
            }
        }
    }
}

/// Returns the texts of a schema: its key, its description, and the names and descriptions of its fields.
fn schema_text(schema: &Schema) -> String {
    let members = schema.r#type.check.members().iter();
    let members = members.flat_map(|member| [member.name.as_str(), &member.info]);
    join_lowercase_lines([&*schema.key, &*schema.info].into_iter().chain(members))
}

/// Returns the texts of the errors of the server: the name, the status, the identifying member of the body, and the
/// title.
fn error_texts(pages: &Pages) -> Vec<(ErrorCode, String)> {
    let envelope = pages.api.make_envelope(&pages.api.envelope);
    let decoding = envelope.decoding();
    let text = |code: ErrorCode| {
        let body = openapi::error_body(&*envelope, &openapi::sample_error(code));
        let member = body.and_then(|body| responses::identifying_error_member(&decoding, &body)).unwrap_or_default();
        let (member, status) = (member.replace('"', ""), code.row().status.to_string());
        join_lowercase_lines([code.row().name, &*status, &*member, code.title()].into_iter())
    };
    responses::all_error_codes().map(|code| (code, text(code))).collect()
}

/// Converts texts to lower case and joins them, with one text on each line. A word can therefore not match across two
/// texts.
fn join_lowercase_lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.fold(String::new(), |mut lines, text| {
        lines.extend([&text.to_lowercase(), "\n"]);
        lines
    })
}
