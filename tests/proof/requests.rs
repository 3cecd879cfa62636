//! Requests out of what OpenAPI declares, and nothing else: each parameter in its declared place and way.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rulebook::Value;
use rulebook::model::Method;
use serde_json::{Map, Value as Json};

use super::borders;
use super::written::{Judge, Style, Verdict};
use crate::client::{Request, multipart};
use crate::generate::Choices;

/// A request, and what OpenAPI says of it.
pub struct Asked {
    pub request: Request,
    pub verdict: Verdict,
    /// Whether it asks for a script.
    pub jsonp: bool,
}

/// How often a value is looked for that is allowed.
const TRIES: usize = 6;

/// Puts a request together.
struct Asking<'a> {
    document: &'a Json,
    method: &'a Method,
    /// Whether every part of it is to be allowed, if one can be found.
    good: bool,
    verdict: Verdict,
    choices: &'a mut Choices,
}

/// A request for an operation of a document.
pub fn request(
    document: &Json,
    (path, http, operation): (&str, &str, &Json),
    method: &Method,
    choices: &mut Choices,
) -> Asked {
    let good = choices.below(4) > 0;
    let mut asking = Asking { document, method, good, verdict: Verdict::Allowed, choices };
    let mut target = path.to_owned();
    let mut query = Vec::new();
    let mut fields = Vec::new();
    let mut cookies = Vec::new();
    let mut of_cookies = Verdict::Allowed;
    let mut jsonp = false;
    for own in operation["parameters"].as_array().into_iter().flatten() {
        let name = own["name"].as_str().unwrap_or_default();
        let place = own["in"].as_str().unwrap_or_default();
        let before = asking.verdict;
        let texts = asking.parameter(own, place);
        if place == "cookie" {
            of_cookies = of_cookies.and(std::mem::replace(&mut asking.verdict, before));
        }
        let Some(texts) = texts else { continue };
        match place {
            "path" => {
                let filled = texts.iter().map(|text| encoded(text)).collect::<Vec<_>>().join("/");
                target = target.replacen(&format!("{{{name}}}"), &filled, 1);
            }
            "query" => {
                jsonp |= name == "callback" && method.http == rulebook::call::Http::Get;
                query.extend(texts.iter().map(|text| format!("{}={}", encoded(name), encoded(text))));
            }
            "header" => fields.extend(texts.iter().map(|text| (name.to_owned(), text.clone()))),
            _ => cookies.extend(texts.iter().map(|text| format!("{name}={text}"))),
        }
    }
    // For a script no cookie is read.
    if !jsonp {
        asking.is(of_cookies);
    }
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    let elsewhere = leads_elsewhere(document, path, &target);
    let mut request = Request::new(http, target);
    for (name, text) in fields {
        request = request.raw_field(&name, text);
    }
    if !cookies.is_empty() {
        request = request.raw_field("cookie", cookies.join("; "));
    }
    if !method.scope.is_public() {
        request = request.scope(&["reader"]);
    }
    if let Some(body) = operation.get("requestBody") {
        request = asking.body(request, body);
    }
    let verdict = if elsewhere { Verdict::Unsure } else { asking.verdict };
    Asked { request, verdict, jsonp }
}

/// Whether a target begins like another path of the document, and goes on from there where this one has a template:
/// what is longest takes it, and what it takes no schema of a segment says.
fn leads_elsewhere(document: &Json, path: &str, target: &str) -> bool {
    let segments = |path: &str| -> Vec<String> {
        let path = path.split('?').next().unwrap_or_default();
        let decoded = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().to_lowercase();
        path.split('/').skip(1).map(decoded).collect()
    };
    let is_template = |segment: &str| segment.starts_with('{');
    let (own, sent) = (segments(path), segments(target));
    let takes = |other: &str| {
        let other = segments(other);
        let is_like = other.len() <= sent.len()
            && other.iter().zip(&sent).all(|(other, sent)| is_template(other) || other == sent);
        is_like && other.iter().zip(&own).any(|(other, own)| !is_template(other) && is_template(own))
    };
    document["paths"].as_object().into_iter().flatten().any(|(other, _)| takes(other))
}

/// A text as a part of a target, in which nothing of it means anything.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Asking<'_> {
    /// The texts of a parameter; none where it is left out.
    fn parameter(&mut self, own: &Json, place: &str) -> Option<Vec<String>> {
        let schema = own.get("schema").unwrap_or_else(|| &own["content"]["application/json"]["schema"]);
        let is_required = own["required"] == true;
        let name = own["name"].as_str().unwrap_or_default();
        let leave_out = if self.good { !is_required && self.choices.once_in(3) } else { self.choices.once_in(5) };
        if leave_out && place != "path" {
            self.is(if is_required { Verdict::Forbidden } else { Verdict::Allowed });
            return None;
        }
        let judge = Judge::new(self.document, schema);
        let extremes = self.extremes(name);
        let style = Style::of(own);
        let (texts, verdict) = self.texts(&judge, style, &extremes, |texts| fits(place, texts));
        // A list of nothing is one that is left out.
        if texts.is_empty() {
            self.is(if is_required { Verdict::Forbidden } else { Verdict::Allowed });
            return None;
        }
        // Only one value of this field means anything, and the others are not refused.
        let no_matter = name == "X-Requested-With" && verdict == Verdict::Forbidden;
        self.is(if no_matter { Verdict::Unsure } else { verdict });
        Some(texts)
    }

    fn is(&mut self, verdict: Verdict) {
        self.verdict = self.verdict.and(verdict);
    }

    fn extremes(&self, name: &str) -> Vec<Value<'static>> {
        let own = self.method.parameters.iter().find(|own| own.key == name || own.name == name);
        own.map_or(Vec::new(), |own| own.r#type.check.extremes())
    }

    /// Texts of some value, and what is said of it. `fits` tells whether a place can hold them, and be sure of it.
    fn texts(
        &mut self,
        judge: &Judge,
        style: Style,
        extremes: &[Value<'static>],
        fits: impl Fn(&[String]) -> (bool, bool),
    ) -> (Vec<String>, Verdict) {
        let tries = if self.good { TRIES } else { 1 };
        let mut found = None;
        for number in 0..TRIES + 4 {
            let value = borders::value(&judge.schema, extremes, self.choices);
            let (texts, verdict) = judge.write(style, &value);
            let (sendable, sure) = fits(&texts);
            if !sendable {
                continue;
            }
            let verdict = if sure { verdict } else { Verdict::Unsure };
            let end = verdict == Verdict::Allowed || number + 1 >= tries;
            found = Some((texts, verdict));
            if end {
                break;
            }
        }
        // A letter stands everywhere.
        found.unwrap_or_else(|| (vec!["x".to_owned()], Verdict::Unsure))
    }

    fn body(&mut self, request: Request, body: &Json) -> Request {
        let contents: Vec<_> = body["content"].as_object().into_iter().flatten().collect();
        let is_required = body["required"] == true;
        if contents.is_empty() || self.choices.once_in(10) {
            self.is(if is_required { Verdict::Forbidden } else { Verdict::Allowed });
            return request;
        }
        let (media_type, content) = contents[self.choices.below(contents.len())];
        let schema = super::written::whole(self.document, &content["schema"]);
        if media_type == "application/json" {
            let object = self.object(&schema);
            let allowed = Judge::new(self.document, &schema).allows(&object);
            self.is(if allowed { Verdict::Allowed } else { Verdict::Forbidden });
            return request.body(media_type, object.to_string());
        }
        let fields = self.fields(&schema, &content["encoding"]);
        if media_type == "multipart/form-data" {
            let parts: Vec<_> = fields
                .iter()
                .map(|(name, text, is_file)| {
                    let file = if *is_file { "; filename=\"a.txt\"" } else { "" };
                    (format!("name=\"{}\"{file}", name.replace('"', "%22")), text.as_bytes())
                })
                .collect();
            let parts: Vec<_> = parts.iter().map(|(name, content)| (name.as_str(), *content)).collect();
            return request.body("multipart/form-data; boundary=XX", multipart(&parts));
        }
        let pairs: Vec<_> =
            fields.iter().map(|(name, text, _)| format!("{}={}", encoded(name), encoded(text))).collect();
        request.body(media_type, pairs.join("&"))
    }

    /// A JSON body.
    fn object(&mut self, schema: &Json) -> Json {
        if !self.good && self.choices.once_in(6) {
            return borders::any(2, self.choices);
        }
        let mut object = Map::new();
        for (name, own) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = schema["required"].as_array().is_some_and(|all| all.contains(&name.as_str().into()));
            if self.choices.once_in(4) && !(self.good && is_required) {
                continue;
            }
            let judge = Judge::new(self.document, own);
            let extremes = self.extremes(name);
            let mut value = borders::value(own, &extremes, self.choices);
            for _ in 0..if self.good { TRIES } else { 0 } {
                if judge.allows(&value) {
                    break;
                }
                value = borders::value(own, &extremes, self.choices);
            }
            object.insert(name.clone(), value);
        }
        Json::Object(object)
    }

    /// The fields of a form: their names and texts, and whether they are files.
    fn fields(&mut self, schema: &Json, encoding: &Json) -> Vec<(String, String, bool)> {
        let mut fields = Vec::new();
        for (name, own) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = schema["required"].as_array().is_some_and(|all| all.contains(&name.as_str().into()));
            let parameter = self.method.parameters.iter().find(|own| own.key == *name);
            let takes = parameter.map(|own| own.r#type.check.takes());
            let is_file = matches!(takes, Some(rulebook::types::Takes::File | rulebook::types::Takes::Files));
            if self.choices.once_in(4) && !(self.good && is_required) {
                self.is(if is_required { Verdict::Forbidden } else { Verdict::Allowed });
                continue;
            }
            if is_file {
                // What a file is, no schema says.
                self.is(Verdict::Unsure);
                fields.push((name.clone(), "content".to_owned(), true));
                continue;
            }
            let judge = Judge::new(self.document, own);
            let extremes = self.extremes(name);
            let style = Style::of(&encoding[name]);
            let (texts, verdict) = self.texts(&judge, style, &extremes, |_| (true, true));
            // A list of nothing is one that is left out.
            self.is(match texts.is_empty() {
                true if is_required => Verdict::Forbidden,
                true => Verdict::Allowed,
                false => verdict,
            });
            fields.extend(texts.into_iter().map(|text| (name.clone(), text, false)));
        }
        fields
    }
}

/// Whether texts can stand in a place at all, and whether they arrive there as they are.
fn fits(place: &str, texts: &[String]) -> (bool, bool) {
    let all = |test: fn(&String) -> bool| texts.iter().all(test);
    match place {
        // No segment is empty.
        "path" => (texts.len() == 1 && all(|text| !text.is_empty()), true),
        "header" => {
            let plain = |text: &String| text.trim() == text && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            (texts.len() < 2 && all(|text| !text.bytes().any(|byte| byte < 0x20 || byte == 0x7f)), all(plain))
        }
        "cookie" => {
            let plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
            (texts.len() < 2 && texts.iter().all(|text| text.bytes().all(plain)), true)
        }
        _ => (true, true),
    }
}
