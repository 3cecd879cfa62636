//! The texts that the search compares with the words of a query: those of API modules, methods, schemas and errors, in
//! lower case; also the words and the URLs that it recognizes in a query.

use std::borrow::Cow;
use std::collections::BTreeMap;

use url::form_urlencoded;

use super::{MethodEntry, Pages, method};
use crate::call::HttpMethod;
use crate::describe::canonical::schemas_in_types;
use crate::describe::openapi;
use crate::error::ErrorCode;
use crate::model::{Api, Schema};
use crate::routing::{
    NAMESPACE, Routes, ServiceNaming, ServicesByClass, encode_segment, fields_naming_another_service,
};
use crate::types::{Check, Structure};
use crate::uri::percent_decode;

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

    /// `None` if the query is not a URL.
    pub(super) fn parse_url<'q>(&self, query: &'q str) -> Option<RequestUrl<'q>> {
        self.service_urls.parse(query)
    }

    /// The first query is the typed one, and others have synonyms. The words must be in lower case. The methods that a
    /// request for `url` calls are found too.
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

fn schema_text(schema: &Schema) -> String {
    let members = schema.r#type.check.members().iter();
    let members = members.flat_map(|member| [member.name.as_str(), &member.info]);
    join_lowercase_lines([&*schema.key, &*schema.info].into_iter().chain(members))
}

/// The name, the status, the identifying member of the body, and the title.
fn error_texts(pages: &Pages) -> Vec<(ErrorCode, String)> {
    let envelope = pages.api.make_envelope(&pages.api.envelope);
    let decoding = envelope.decoding();
    let text = |code: ErrorCode| {
        let body = openapi::error_body(&*envelope, &openapi::sample_error(code));
        let member = body.and_then(|body| method::identifying_error_member(&decoding, &body)).unwrap_or_default();
        let (member, status) = (member.replace('"', ""), code.row().status.to_string());
        join_lowercase_lines([code.row().name, &*status, &*member, code.title()].into_iter())
    };
    method::all_error_codes().map(|code| (code, text(code))).collect()
}

/// Each text is on a line of its own, so that a word cannot match across two texts.
fn join_lowercase_lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.fold(String::new(), |mut lines, text| {
        lines.extend([&text.to_lowercase(), "\n"]);
        lines
    })
}

// Corrects misspelled search words.

/// The lengths of corrected words, in characters. One wrong character changes the meaning of shorter words, and longer
/// words are rarely typed.
const CORRECTED_LENGTHS: std::ops::RangeInclusive<usize> = 4..=24;
/// The maximum number of known words, which limits the memory that they need. Further words are not suggested.
const MAX_KNOWN_WORDS: usize = 20_000;

/// The minimum similarity of the words that are suggested for an unknown word, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.82;
const MAX_SIMILAR: usize = 3;

/// The words to which misspelled words are corrected, each with the number of its occurrences.
#[derive(Debug, Default)]
struct Spelling(BTreeMap<String, u32>);

impl Spelling {
    /// Collects the words in texts in lower case.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let is_corrected = |word: &&str| CORRECTED_LENGTHS.contains(&word.chars().count());
        for word in texts.flat_map(words_of).filter(is_corrected) {
            if counts.len() < MAX_KNOWN_WORDS || counts.contains_key(word) {
                *counts.entry(word).or_default() += 1;
            }
        }
        Self(counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect())
    }

    /// Returns the known word from which a word in lower case differs in one character, or in the order of two adjacent
    /// characters. Returns `None` if the word is known, or if no such word is known.
    pub(super) fn correct(&self, word: &str) -> Option<&str> {
        let length = word.chars().count();
        if !CORRECTED_LENGTHS.contains(&length) || self.0.contains_key(word) {
            return None;
        }
        // The lengths are compared first, because the distance of words takes longer.
        let is_close =
            |other: &str| other.chars().count().abs_diff(length) <= 1 && strsim::damerau_levenshtein(word, other) <= 1;
        let close = self.0.iter().filter(|(other, _)| is_close(other));
        close.max_by_key(|(_, count)| **count).map(|(other, _)| other.as_str())
    }

    /// Returns the known words that are most similar to an unknown word in lower case, beginning with the most similar.
    pub(super) fn similar(&self, word: &str) -> Vec<&str> {
        if !CORRECTED_LENGTHS.contains(&word.chars().count()) || self.0.contains_key(word) {
            return Vec::new();
        }
        let similarity = |other: &str| strsim::jaro_winkler(word, other);
        let mut similar: Vec<_> = self.0.keys().map(|other| (similarity(other), other.as_str())).collect();
        similar.retain(|(similarity, _)| *similarity >= MIN_SIMILARITY);
        similar.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        similar.into_iter().take(MAX_SIMILAR).map(|(_, other)| other).collect()
    }
}

/// Returns the words of a text. A name with hyphens or underscores is a word, and its parts are words too.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    names.flat_map(|name| {
        let is_compound = name.contains(['-', '_']);
        let parts = name.split(['-', '_']).filter(move |_| is_compound);
        std::iter::once(name).chain(parts)
    })
}

// Finds the service that a request for a URL calls, for searches such as `/article/3/picture`. In an API with the
// setting `service`, the query of a URL can name a service, such as `/?service=User.Login`.

/// The maximum number of segments of a URL in a query. Longer URLs call no service.
const MAX_SEGMENTS: usize = 64;

#[derive(Debug)]
pub(super) struct RequestUrl<'q> {
    pub(super) http: Option<HttpMethod>,
    segments: Vec<Cow<'q, str>>,
    /// The index of the service that a request for the URL calls, and the number of segments after its path.
    called: Option<(usize, usize)>,
}

impl RequestUrl<'_> {
    pub(super) fn to_text(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}

#[derive(Debug)]
struct ServiceUrls {
    /// The paths of all services. A search ignores their case.
    routes: Routes,
    /// The number of segments in the path of each service.
    path_lengths: Vec<usize>,
    base_path: Vec<String>,
    names: Option<ServiceNames>,
}

#[derive(Debug)]
struct ServiceNames {
    by_class: ServicesByClass,
    /// For each service, the query fields that can name another service. Empty if the service has no name.
    name_fields: Vec<Vec<&'static str>>,
    /// The segments of the path of PhalApi's script, below the base path. Empty if there is no such path.
    script_path: Vec<String>,
    /// The service that a request without a service name calls.
    default_service: Option<usize>,
}

impl ServiceUrls {
    pub(super) fn new(api: &Api) -> Self {
        let services: Vec<_> = api.services().collect();
        let (mut by_class, mut routes) = (ServicesByClass::new(api.catalogue.version()), Routes::default());
        for (index, service) in services.iter().enumerate() {
            // The first of several services whose paths differ only in case is found.
            let _ = routes.insert(&service.path, index, true);
            let _ = by_class.insert(&service.path, index);
        }
        let mut name_fields = vec![Vec::new(); services.len()];
        for index in by_class.services() {
            name_fields[index] = fields_naming_another_service(services[index]);
        }
        let path_lengths = services.iter().map(|service| service.path.len()).collect();
        let segments = |path: &str| path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        let names = api.service.on.then(|| ServiceNames {
            default_service: api.service.default.as_ref().and_then(|name| by_class.find(&name.value).ok()),
            by_class,
            name_fields,
            script_path: segments(&api.service.entry),
        });
        Self { routes, path_lengths, base_path: segments(&api.base), names }
    }

    /// Parses a text such as `/article/3`, `GET /article/3` or `https://example.org/article/3?x=1`. `None` if the text
    /// is not a URL.
    pub(super) fn parse<'q>(&self, text: &'q str) -> Option<RequestUrl<'q>> {
        let text = text.trim();
        let named = |name: &str| HttpMethod::ALL.into_iter().find(|http| http.as_str().eq_ignore_ascii_case(name));
        let with_http = text.split_once(char::is_whitespace).and_then(|(name, url)| Some((named(name)?, url.trim())));
        let (http, url) = with_http.map_or((None, text), |(http, url)| (Some(http), url));
        if url.contains(char::is_whitespace) {
            return None;
        }
        let url = url.split('#').next().unwrap_or_default();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = match path.split_once("://") {
            Some((_, behind)) => behind.find('/').map_or("/", |start| &behind[start..]),
            None => path,
        };
        // The server removes a single slash at the end of a path.
        let (path, is_absolute) = path.strip_prefix('/').map_or((path, false), |path| (path, true));
        // Without a slash at its beginning, a path looks like a word.
        if !is_absolute && !path.contains('/') {
            return None;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = path.split('/').filter(|_| !path.is_empty()).take(MAX_SEGMENTS + 1);
        let decode = |segment| percent_decode(segment).unwrap_or(Cow::Borrowed(segment));
        let segments: Vec<_> = segments.map(decode).collect();
        let url = (segments.len() <= MAX_SEGMENTS).then(|| self.resolve(http, segments, query))?;
        (is_absolute || url.called.is_some()).then_some(url)
    }

    /// `None` if `correct` corrects no segment. Its argument is in lower case.
    fn with_corrected_segments<'q>(
        &self,
        url: &RequestUrl<'q>,
        correct: impl Fn(&str) -> Option<String>,
    ) -> Option<RequestUrl<'q>> {
        let corrected: Vec<_> = url.segments.iter().map(|segment| correct(&segment.to_lowercase())).collect();
        let is_changed = corrected.iter().any(Option::is_some);
        let segments = corrected.into_iter().zip(&url.segments);
        let segments = segments.map(|(corrected, segment)| corrected.map_or_else(|| segment.clone(), Cow::Owned));
        is_changed.then(|| self.resolve(url.http, segments.collect(), ""))
    }

    /// Removes the path of PhalApi's script, and PhalApi's namespace. If the query names an unknown service, the
    /// segments are those that its path would have.
    fn resolve<'q>(&self, http: Option<HttpMethod>, mut segments: Vec<Cow<'q, str>>, query: &str) -> RequestUrl<'q> {
        let base = self.base_path.len();
        if !starts_with(&segments, &self.base_path) {
            return RequestUrl { http, segments, called: None };
        }
        let script_path = self.names.as_ref().map_or(&[][..], |names| &names.script_path);
        if starts_with(&segments[base..], script_path) {
            segments.drain(base..base + script_path.len());
        }
        if self.is_below_namespace(&segments[base..]) {
            segments.remove(base);
        }
        let at_path = self.service_at_path(&segments[base..]);
        let names = self.names.as_ref();
        let named = names.and_then(|names| Some((names, names.find(segments.len() == base, at_path, query)?)));
        let called = match named {
            Some((_, Ok(service))) => Some((service, 0)),
            Some((names, Err(name))) => {
                segments.truncate(base);
                let (class, method) = names.by_class.split(&name).unwrap_or_default();
                segments.extend([class, method].map(|part| part.to_owned().into()));
                None
            }
            None => at_path,
        };
        RequestUrl { http, segments, called }
    }

    /// Returns `true` if a path begins with PhalApi's namespace, as in `/App/User/Login`, and the rest leads to a
    /// service that has a name. A service whose own path begins with the namespace has priority.
    fn is_below_namespace(&self, segments: &[Cow<'_, str>]) -> bool {
        let path_length =
            |segments| self.service_at_path(segments).map_or(0, |(service, _)| self.path_lengths[service]);
        self.names.is_some()
            && segments.first().is_some_and(|first| first == NAMESPACE)
            && path_length(segments) == 0
            && path_length(&segments[1..]) == 2
    }

    fn service_at_path(&self, segments: &[Cow<'_, str>]) -> Option<(usize, usize)> {
        let path: String = segments.iter().flat_map(|segment| [Cow::Borrowed("/"), encode_segment(segment)]).collect();
        let service = self.routes.find(&path, segments.len())?;
        Some((service, segments.len() - self.path_lengths[service]))
    }
}

impl ServiceNames {
    /// Returns the service that a query names, or the default service at the base path. Returns the name if no service
    /// has it, and `None` if the path alone selects the service.
    fn find(&self, is_base_path: bool, at_path: Option<(usize, usize)>, query: &str) -> Option<Result<usize, String>> {
        let base_fields @ [_, short_field] = ServiceNaming::Service.fields();
        let fields = match at_path {
            _ if is_base_path => &base_fields[..],
            Some((service, _)) => &self.name_fields[service],
            None => &[],
        };
        // PhalApi uses the last value of a field.
        let value = |field: &str| form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == field).last();
        let Some((field, (_, name))) = fields.iter().find_map(|field| Some((*field, value(field)?))) else {
            return self.default_service.filter(|_| is_base_path).map(Ok);
        };
        match self.by_class.find(&name) {
            // At the path of a service, a field `s` without the name of a service has another meaning.
            Err(_) if !is_base_path && field == short_field => None,
            service => Some(service.map_err(|_| name.into_owned())),
        }
    }
}

fn starts_with(segments: &[Cow<'_, str>], prefix: &[String]) -> bool {
    let is_same = |(segment, prefix): (&Cow<'_, str>, &String)| segment.to_lowercase() == prefix.to_lowercase();
    segments.len() >= prefix.len() && segments.iter().zip(prefix).all(is_same)
}
