//! Checks the options of deprecated methods: the dates, and the methods that replace them.

use std::cell::LazyCell;
use std::collections::HashSet;

use jiff::Timestamp;

use super::lowering::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::method_options::DeclaredDeprecation;
use crate::model::{Api, Deprecation, Method, Service, date_or_time};

impl Lowering<'_> {
    /// Converts the options `deprecated`, `sunset` and `successor`. Only a deprecated method can have the other two.
    pub(crate) fn lower_deprecation(&mut self, declared: &DeclaredDeprecation) -> Option<Box<Deprecation>> {
        let DeclaredDeprecation { deprecated, since, sunset, successor, is_incomplete } = declared;
        let error = |span, message: &str| Diagnostic::new(DiagnosticCode::BadOption, span, message);
        if deprecated.is_none_or(|deprecated| !deprecated.value) {
            let spans =
                [("sunset", sunset.map(|it| it.span)), ("successor", successor.as_ref().map(|it| it.span))].into_iter();
            for (key, span) in spans.filter_map(|(key, span)| Some((key, span?))).filter(|_| !is_incomplete) {
                let message = format!("only a deprecated method has a `{key}`");
                let help = "add `\"deprecated\": true`, or the date since when: `\"deprecated\": \"2026-12-01\"`";
                self.report(error(span, &message).help(help));
            }
            return None;
        }
        if let (Some(since), Some(sunset)) = (since, sunset)
            && sunset.value < since.value
        {
            self.report(
                error(sunset.span, "the method ends before it is deprecated")
                    .related(since.span, "deprecated since")
                    .help("clients need the time between both dates to change: choose a later `sunset`"),
            );
        }
        Some(Box::new(Deprecation {
            since: since.map(|since| since.value),
            sunset: sunset.map(|sunset| sunset.value),
            successor: successor.clone(),
            other_successor: None,
        }))
    }

    /// Reports successors that are not another method of the API. After other errors, the method may be missing only
    /// because it was omitted.
    pub(super) fn check_successors(&mut self, api: &Api) {
        if !self.diagnostics.is_empty() {
            return;
        }
        let ids: LazyCell<HashSet<&str>, _> = LazyCell::new(|| api.methods().map(|(.., method)| &*method.id).collect());
        for (_, method, deprecation) in deprecated_methods(api) {
            let Some(successor) = &deprecation.successor else { continue };
            let error = |message: String| Diagnostic::new(DiagnosticCode::BadOption, successor.span, message);
            let help = "write the id of the method that clients should call instead; `rulebook routes` lists the ids";
            if successor.value == method.id {
                self.report_once(error(format!("the method `{}` is its own successor", method.id)).help(help));
            } else if !ids.contains(&*successor.value) {
                self.report_once(
                    error(format!("unknown method `{}`", successor.value.escape_debug()))
                        .label("no method has this id")
                        .help(help)
                        .suggest(&successor.value, ids.iter().copied()),
                );
            }
        }
    }
}

fn deprecated_methods(api: &Api) -> impl Iterator<Item = (&Service, &Method, &Deprecation)> {
    api.methods().filter_map(|(_, service, method)| Some((service, method, method.options.deprecation.as_deref()?)))
}

/// Returns a warning for each method whose `sunset` is not after `now`.
pub(super) fn past_sunset_warnings(api: &Api, now: Timestamp) -> Vec<Diagnostic> {
    // A method of a PhalApi class has several HTTP methods.
    let mut reported = HashSet::new();
    let past = deprecated_methods(api).filter_map(|(service, method, deprecation)| {
        let sunset = deprecation.sunset.filter(|sunset| *sunset <= now)?;
        let is_new = reported.insert((method.span.file, method.span.start));
        is_new.then(|| {
            let message = format!("the method `{}` ended on {}: it responds with 410", method.id, date_or_time(sunset));
            let help = format!(
                "delete `{}` of `{}` and its handler, or choose a later `sunset`",
                method.http.as_str(),
                service.uri()
            );
            Diagnostic::new(DiagnosticCode::PastSunset, method.span, message).help(help).into_warning()
        })
    });
    past.collect()
}
