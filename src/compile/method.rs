//! One method of a service.

use super::lower::Lowering;
use super::parameter::Judged;
use crate::call::Http;
use crate::definition::written;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{EnvelopeName, Method, Segment, derived_id};
use crate::place::{Place, Placed};

/// Where a method stands: what its parts are judged against.
pub(super) struct Site<'a> {
    /// In words: "the method `GET`".
    pub what: &'a str,
    /// The HTTP method; none where there is no such.
    pub http: Option<Http>,
    /// Where its name is written.
    pub place: Place,
    /// The path's segments; none where the path is faulty.
    pub path: Option<&'a [Segment]>,
    /// The path as it is written.
    pub uri: &'a Placed<String>,
    /// Whether the reader has left something out that was faulty: what is not there is not missed.
    pub damaged: bool,
}

impl Lowering<'_> {
    /// Lowers one method. None where its HTTP method or its path is faulty, so that it has no place in the model.
    pub(super) fn method(
        &mut self,
        written: &written::Method,
        path: Option<&[Segment]>,
        uri: &Placed<String>,
        common: &[Judged],
        envelope: Option<&EnvelopeName>,
    ) -> Option<Method> {
        let what = format!("the method `{}`", written.http.value.escape_debug());
        let site = Site {
            what: &what,
            http: self.http(&written.http),
            place: written.http.place,
            path,
            uri,
            damaged: written.damaged,
        };
        let id = match &written.id {
            Some(id) => Some(id.value.clone()),
            None => path.zip(site.http).map(|(path, http)| derived_id(path, http)),
        };
        let info = match &id {
            Some(id) if self.manner.id_as_info && written.info.is_none() => id.clone(),
            _ => self.info(written.info.as_ref(), &what, site.place, site.damaged || self.manner.id_as_info),
        };
        if let Some(id) = &written.id {
            self.judge_name(&id.value, &format!("{what} (`id`)"), id.place);
        }
        let parameters = self.input(&written.parameters, common, &site);
        let scope = self.scope(&written.scope, &parameters, &site);
        let outputs = self.outputs(&written.outputs, envelope);
        let errors = self.errors(&written.errors);
        let options = self.options(&written.options, &written.outputs);

        path?;
        let method = Method {
            id: id?,
            http: site.http?,
            info,
            scope,
            parameters: parameters.iter().filter_map(|judged| judged.parameter.clone()).collect(),
            outputs,
            errors,
            options,
            place: site.place,
        };
        self.judge_jsonp(written.options.jsonp.as_ref(), &method, &site);
        self.judge_callback(&method, &parameters, &site);
        Some(method)
    }

    fn http(&mut self, name: &Placed<String>) -> Option<Http> {
        let http = Http::from_name(&name.value);
        if http.is_none() {
            let fault = Diagnostic::new(
                Code::UnknownMethod,
                name.place,
                format!("`{}` is no method of a service", name.value.escape_debug()),
            )
            .label("unknown method");
            self.tell(match name.value.as_str() {
                "HEAD" => fault.help("leave it out: HEAD runs GET and sends its headers only"),
                "OPTIONS" => fault.help("leave it out: OPTIONS is answered with the definition itself"),
                other => match crate::diagnostic::nearest(other, Http::ALL.map(Http::as_str)) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help("methods are GET, POST, PUT, DELETE and PATCH"),
                },
            });
        }
        http
    }
}
