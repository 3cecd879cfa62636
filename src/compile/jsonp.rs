//! Which methods can answer JSONP.

use super::lower::Lowering;
use super::method::Site;
use super::parameter::Judged;
use crate::call::{Callback, Http};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{From, Method};
use crate::place::Placed;

impl Lowering<'_> {
    /// Judges whether a method can do what its option `jsonp` says.
    pub(super) fn judge_jsonp(&mut self, written: Option<&Placed<bool>>, method: &Method, site: &Site<'_>) {
        let Some(wanted) = written.filter(|wanted| wanted.value) else { return };
        let bad = |message: String| Diagnostic::new(Code::BadOption, wanted.place, message);
        if method.http != Http::Get {
            self.tell_once(
                bad(format!("{} cannot answer JSONP, which is loaded with GET", site.what))
                    .label("JSONP only reads")
                    .other(site.place, "not GET")
                    .help("leave it out, or set it to false"),
            );
        } else if !method.scope.is_public() {
            self.tell_once(
                bad(format!("{} cannot answer JSONP, because it asks for permissions", site.what))
                    .label("any page could read the answer")
                    .other(site.place, "not for everybody")
                    .help("leave it out, or let everybody call the method"),
            );
        } else if method.options.download {
            self.tell_once(
                bad(format!("{} cannot answer JSONP, because it returns a file", site.what))
                    .label("a file is no script")
                    .help("leave it out, or set it to false"),
            );
        }
    }

    /// Judges whether `callback` is free in the query of a method that answers JSONP.
    pub(super) fn judge_callback(&mut self, method: &Method, parameters: &[Judged], site: &Site<'_>) {
        if !method.answers_jsonp(self.jsonp) {
            return;
        }
        let taken = parameters.iter().find(|judged| {
            let in_query = |from| matches!(from, From::Query | From::Any);
            judged.key.as_ref().is_some_and(|own| in_query(own.from) && own.key == Callback::PARAMETER)
        });
        let Some(judged) = taken else { return };
        let message = format!("`{}` names the function in JSONP, which {} answers", Callback::PARAMETER, site.what);
        let fault = Diagnostic::new(Code::ReservedName, judged.place, message)
            .label("reserved")
            .help("give the parameter another key, or the method the option `\"jsonp\": false`");
        self.tell_once(if judged.inherited { fault.other(site.place, "this method has it too") } else { fault });
    }
}
