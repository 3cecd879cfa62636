//! The paths of all methods, with a path for each number of segments that a method takes.

use std::collections::{BTreeMap, HashMap, HashSet};

use percent_encoding::utf8_percent_encode;
use utoipa::openapi::path::{Operation, PathItem};

use super::super::part::Part;
use super::super::uris::{ENCODED, ServiceUri, uris};
use super::answers::Answers;
use super::operation::operation;
use super::schemas::Schemas;
use crate::call::Http;
use crate::model::{Api, From, Method, Module, Parameter, Segment, Service};

/// The operations of a document by their paths. Each is made when it is written: those of a large API take much room.
pub(super) struct Listing<'a> {
    api: &'a Api,
    services: Vec<ServiceUri<'a>>,
    paths: BTreeMap<String, Vec<Listed<'a>>>,
}

/// A method at one of its paths.
pub(super) struct Listed<'a> {
    /// Index of its service.
    service: usize,
    method: &'a Method,
    /// How many of its last positions the path lacks.
    left_out: usize,
    id: String,
    /// What the segments are called that its parameters fill.
    names: Vec<String>,
}

impl<'a> Listing<'a> {
    /// Every method of the API, or of a part of it, at each of its paths. The others still count where paths and ids
    /// get their names, so that an operation is called the same in every document.
    pub(super) fn new(api: &'a Api, part: Option<&Part>) -> Self {
        let services = uris(api).services;
        let mut held = held(api, part);
        let mut ids: HashSet<String> =
            services.iter().flat_map(|own| &own.service.methods).map(|method| method.id.clone()).collect();
        let mut templates = Templates::default();
        let mut paths: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (service, own) in services.iter().enumerate() {
            for method in &own.service.methods {
                let is_held = held.next().unwrap_or_default();
                let segments = segments(own.service, method);
                for left_out in 0..=trailing_optional(&method.positions()) {
                    let Template { path, names } =
                        templates.template(&api.base, &segments[..segments.len() - left_out]);
                    let id = if left_out == 0 { method.id.clone() } else { shorter_id(&method.id, left_out, &mut ids) };
                    if is_held {
                        let listed = Listed { service, method, left_out, id, names: names.clone() };
                        paths.entry(path.clone()).or_default().push(listed);
                    }
                }
            }
        }
        Self { api, services, paths }
    }

    /// Every path, in order, with what is there.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, &[Listed<'a>])> {
        self.paths.iter().map(|(path, listed)| (path.as_str(), listed.as_slice()))
    }

    /// What is at a path.
    pub(super) fn item(&self, listed: &[Listed<'_>], schemas: &mut Schemas, answers: &mut Answers) -> PathItem {
        let mut item = PathItem::default();
        for own in listed {
            *of(&mut item, own.method.http) = Some(self.operation(own, schemas, answers));
        }
        item
    }

    fn operation(&self, listed: &Listed<'_>, schemas: &mut Schemas, answers: &mut Answers) -> Operation {
        let Listed { service, method, left_out, id, names } = listed;
        let ServiceUri { module, service, below, .. } = &self.services[*service];
        let segments = segments(service, method);
        let parameters: Vec<_> = parameters(&segments[..segments.len() - left_out], names).collect();
        // Where all positions are left out, nothing stands where the services below begin.
        let below = if *left_out < method.positions().len() { &below[..] } else { &[] };
        operation((self.api, module, method), id.clone(), (&parameters, below), schemas, answers)
    }
}

/// Whether each method of the API, in order, is in a part of it.
fn held(api: &Api, part: Option<&Part>) -> impl Iterator<Item = bool> {
    let methods = move |(index, module): (usize, &Module)| {
        let all = module.services.iter().flat_map(|service| &service.methods).count();
        (0..all).map(move |method| part.is_none_or(|part| part.module == index && part.methods.contains(&method)))
    };
    api.modules.iter().enumerate().flat_map(methods)
}

fn of(item: &mut PathItem, http: Http) -> &mut Option<Operation> {
    match http {
        Http::Get => &mut item.get,
        Http::Post => &mut item.post,
        Http::Put => &mut item.put,
        Http::Delete => &mut item.delete,
        Http::Patch => &mut item.patch,
    }
}

/// A segment of a method's path.
enum Piece<'a> {
    Static(&'a str),
    /// What fills it is called so, and is this parameter.
    Filled(&'a str, &'a Parameter),
}

/// The segments of the longest path of a method.
fn segments<'a>(service: &'a Service, method: &'a Method) -> Vec<Piece<'a>> {
    let captured = |name: &str| method.parameters.iter().find(|own| own.from == From::Path && own.key == name);
    let own = service.path.iter().filter_map(|segment| match segment {
        Segment::Static(text) => Some(Piece::Static(text)),
        // A definition that was judged has a parameter for each capture.
        Segment::Capture(name) => captured(name).map(|own| Piece::Filled(name, own)),
    });
    own.chain(method.positions().into_iter().map(|own| Piece::Filled(&own.name, own))).collect()
}

/// How many of the last positions can be left out.
fn trailing_optional(positions: &[&Parameter]) -> usize {
    positions.iter().rev().take_while(|own| own.optional).count()
}

/// The parameters that fill segments, by these names.
fn parameters<'a>(segments: &[Piece<'a>], names: &'a [String]) -> impl Iterator<Item = (&'a str, &'a Parameter)> {
    let filled = segments.iter().filter_map(|piece| match piece {
        Piece::Filled(_, own) => Some(*own),
        Piece::Static(_) => None,
    });
    names.iter().map(String::as_str).zip(filled.collect::<Vec<_>>())
}

/// The id of a method at a path that lacks so many of its segments, which no other has.
fn shorter_id(id: &str, left_out: usize, ids: &mut HashSet<String>) -> String {
    let mut id = format!("{id}.{left_out}");
    while ids.contains(&id) {
        id.push('_');
    }
    ids.insert(id.clone());
    id
}

/// The templates of paths. Of paths that only differ in what fills their segments there is one.
#[derive(Default)]
struct Templates(HashMap<String, Template>);

struct Template {
    path: String,
    /// The names in it, in order.
    names: Vec<String>,
}

impl Templates {
    fn template(&mut self, base: &str, segments: &[Piece<'_>]) -> &Template {
        let mut shape = String::new();
        for piece in segments {
            shape.push('/');
            match piece {
                Piece::Static(text) => shape.extend(utf8_percent_encode(text, ENCODED)),
                Piece::Filled(..) => shape.push_str("{}"),
            }
        }
        self.0.entry(shape).or_insert_with(|| template(base, segments))
    }
}

fn template(base: &str, segments: &[Piece<'_>]) -> Template {
    let mut path: String = base.trim_end_matches('/').split('/').skip(1).fold(String::new(), |mut path, segment| {
        path.push('/');
        path.extend(utf8_percent_encode(segment, ENCODED));
        path
    });
    let mut names: Vec<String> = Vec::new();
    for piece in segments {
        path.push('/');
        match piece {
            Piece::Static(text) => path.extend(utf8_percent_encode(text, ENCODED)),
            Piece::Filled(name, _) => {
                let name = free_name(name, &names);
                path.extend(["{", &name, "}"]);
                names.push(name);
            }
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    Template { path, names }
}

/// A name as templates take it, which none of `names` is. It is seen in documents alone, requests hold its value.
fn free_name(name: &str, names: &[String]) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let mut name: String = name.chars().map(plain).collect();
    while names.contains(&name) {
        name.push('_');
    }
    name
}
