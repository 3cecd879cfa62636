//! The parameters of a method together: with the common ones, against the path, against each other.

use std::collections::{HashMap, HashSet};

use super::key::Key;
use super::lower::Lowering;
use super::method::Site;
use super::parameter::Judged;
use super::path;
use crate::call::Http;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::model::{From, Parameter, Segment};
use crate::place::{Place, Placed};
use crate::types::Takes;

impl Lowering<'_> {
    /// The parameters that every method has. They do not know any path.
    pub(super) fn common(&mut self, written: &[crate::definition::written::Parameter]) -> Vec<Judged> {
        let mut common = Vec::with_capacity(written.len());
        for parameter in written {
            let judged = self.parameter(parameter);
            let code = match judged.key.as_ref().map(|key| key.from) {
                Some(From::Path) => Code::UndefinedCapture,
                Some(From::Position(_)) => Code::BadPosition,
                _ => {
                    common.push(judged);
                    continue;
                }
            };
            self.tell(
                Diagnostic::new(
                    code,
                    judged.place,
                    format!("the common parameter `{}` stands in the path", judged.written),
                )
                .label("paths differ from method to method")
                .help("write it into the methods that have it"),
            );
        }
        self.judge_names(&common);
        common
    }

    /// The parameters of a method: its own, and the common ones whose names in code it does not have, behind or ahead
    /// of them.
    pub(super) fn input(
        &mut self,
        own: &[crate::definition::written::Parameter],
        common: &[Judged],
        site: &Site<'_>,
    ) -> Vec<Judged> {
        let mut all: Vec<Judged> = own.iter().map(|parameter| self.parameter(parameter)).collect();
        let names: HashSet<&str> = all.iter().map(|own| own.name.as_str()).collect();
        let inherited: Vec<Judged> = common
            .iter()
            .filter(|parameter| !names.contains(parameter.name.as_str()))
            .map(|parameter| Judged { inherited: true, ..parameter.clone() })
            .collect();
        all.extend(inherited);
        if self.manner.common_first {
            let places: HashMap<&str, usize> =
                common.iter().enumerate().map(|(place, own)| (own.name.as_str(), place)).collect();
            // What is in place of a common one has its place.
            all.sort_by_key(|own| places.get(own.name.as_str()).copied().unwrap_or(common.len()));
        }
        if matches!(site.http, Some(Http::Get | Http::Delete)) {
            for judged in &mut all {
                without_body(judged);
            }
        }
        self.judge_files(&all, site);
        self.judge_names(&all);
        self.judge_captures(&all, site);
        self.judge_positions(&all, site);
        all
    }

    /// A file comes in a multipart body only.
    fn judge_files(&mut self, all: &[Judged], site: &Site<'_>) {
        for judged in all {
            let Some(parameter) = &judged.parameter else { continue };
            if !matches!(parameter.r#type.check.takes(), Takes::File | Takes::Files) {
                continue;
            }
            let bodiless = matches!(site.http, Some(Http::Get | Http::Delete));
            let message = match parameter.from {
                From::Body | From::Any if !bodiless => continue,
                From::Body | From::Any => format!("`{}` is a file, and {} has no body", judged.written, site.what),
                _ => format!("`{}` is a file, which only a body can carry", judged.written),
            };
            let fault = Diagnostic::new(Code::BodyNotAllowed, judged.place, message)
                .label("a file needs a multipart body")
                .help("take files by their bare name with POST, PUT or PATCH");
            let blame_method = bodiless && judged.inherited;
            self.tell_once(if blame_method { fault.other(site.place, "this method has it too") } else { fault });
        }
    }

    /// Two parameters have neither one name in code nor one place in a request.
    /// Two common ones are told once, not with every method.
    fn judge_names(&mut self, all: &[Judged]) {
        let mut names: HashMap<&str, &Judged> = HashMap::new();
        let mut keys: HashMap<&Key, &Judged> = HashMap::new();
        // An empty name is told by itself.
        for judged in all.iter().filter(|judged| !judged.name.is_empty()) {
            if let Some(first) = names.insert(&judged.name, judged) {
                self.tell_once(
                    Diagnostic::new(
                        Code::NameCollision,
                        judged.name_place,
                        format!("two parameters have the name `{}` in code", judged.name),
                    )
                    .label("the second one")
                    .other(first.name_place, "the first one")
                    .help("give one of them another `name`"),
                );
                continue;
            }
            if let Some(key) = &judged.key
                && let Some(first) = keys.insert(key, judged)
            {
                let (one, two) = if first.written == judged.written {
                    (&first.name, &judged.name)
                } else {
                    (&first.written, &judged.written)
                };
                self.tell_once(
                    Diagnostic::new(
                        Code::NameCollision,
                        judged.place,
                        format!("`{one}` and `{two}` are one and the same input"),
                    )
                    .label("the second one")
                    .other(first.place, "the first one")
                    .help("leave one of them out, or let them stand in different places of the request"),
                );
            }
        }
    }

    /// Every capture of the path has its parameter, and every `{x}` parameter its capture.
    fn judge_captures(&mut self, all: &[Judged], site: &Site<'_>) {
        let Some(path) = site.path else { return };
        let captures: HashSet<&str> = path.iter().filter_map(capture).collect();
        let defined = || {
            all.iter().filter_map(|judged| match &judged.key {
                Some(Key { from: From::Path, key }) => Some((key.as_str(), judged.place)),
                _ => None,
            })
        };
        let undefined: Vec<(&str, Place)> = defined().filter(|(key, _)| !captures.contains(key)).collect();
        let defined: HashSet<&str> = defined().map(|(key, _)| key).collect();
        let mut unused: Vec<&str> = path.iter().filter_map(capture).filter(|name| !defined.contains(name)).collect();
        for &(key, place) in &undefined {
            // A capture that is called otherwise is one mistake: the one that was meant is not told as unused.
            let meant = match (&undefined[..], &unused[..]) {
                ([_], [only]) => Some(*only),
                _ => nearest(key, unused.iter().copied()),
            };
            unused.retain(|name| Some(*name) != meant);
            let message = format!("the path `{}` has no capture `{{{key}}}`", site.uri.value);
            let fault = Diagnostic::new(Code::UndefinedCapture, place, message)
                .label("captured nowhere")
                .other(site.uri.place, "the path");
            self.tell(match meant {
                Some(meant) => fault.help(format!("did you mean `{{{meant}}}`?")),
                None => fault.help(format!("write `{{{key}}}` into the path, or take the parameter from elsewhere")),
            });
        }
        if site.damaged {
            return;
        }
        for name in unused {
            self.tell(
                Diagnostic::new(
                    Code::UnusedCapture,
                    site.place,
                    format!("{} does not say what the capture `{{{name}}}` is", site.what),
                )
                .label(format!("has no parameter `{{{name}}}`"))
                .other(captured(name, site.uri), "captured here")
                .help(format!("add it: `\"{{{name}}}\": {{ \"info\": \"…\", \"type\": \"…\" }}`")),
            );
        }
    }

    /// Positions are consecutive from 0.
    fn judge_positions(&mut self, all: &[Judged], site: &Site<'_>) {
        if site.damaged || all.iter().any(|judged| judged.key.is_none()) {
            return;
        }
        let mut positions: Vec<(usize, &Judged)> = all
            .iter()
            .filter_map(|judged| match judged.key.as_ref()?.from {
                From::Position(position) => Some((position, judged)),
                _ => None,
            })
            .collect();
        positions.sort_by_key(|(position, _)| *position);
        let gap = positions.iter().enumerate().find(|(expected, (position, _))| expected != position);
        if let Some((expected, (_, judged))) = gap {
            let prefix = self.manner.position;
            self.tell(
                Diagnostic::new(
                    Code::BadPosition,
                    judged.place,
                    format!("there is a `{}`, but no `{prefix}{expected}`", judged.written),
                )
                .label("a gap before this one")
                .help(format!("positions count from 0 without a gap; this one would be `{prefix}{expected}`")),
            );
        }
    }
}

/// A bare key of a method that has no body may as well stand in the query.
fn without_body(judged: &mut Judged) {
    let any = |from: &mut From| {
        if *from == From::Body {
            *from = From::Any;
        }
    };
    if let Some(key) = &mut judged.key {
        any(&mut key.from);
    }
    if let Some(Parameter { from, .. }) = &mut judged.parameter {
        any(from);
    }
}

/// Where a capture is written; of one in a key above the path's own, where the path is.
fn captured(name: &str, uri: &Placed<String>) -> Place {
    let text = format!("{{{name}}}");
    match uri.value.find(&text) {
        Some(start) => path::place(uri, &(start..start + text.len())).0,
        None => uri.place,
    }
}

fn capture(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Capture(name) => Some(name),
        Segment::Static(_) => None,
    }
}
