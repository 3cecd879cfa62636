//! Who may call a method: permissions and the parameters that they name.

use super::lower::{Lowering, inside};
use super::method::Site;
use super::parameter::Judged;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::model::{From, Permission, Piece, Scope, Segment};
use crate::place::Placed;

type Group = Placed<Vec<Placed<String>>>;

impl Lowering<'_> {
    /// Lowers an OR of ANDs. Variables are the names in code of path, position and header parameters: what is
    /// known before a byte of the body is read.
    pub(super) fn scope(&mut self, written: &[Group], parameters: &[Judged], site: &Site<'_>) -> Scope {
        // `[[]]` is how an empty list of groups may be written: everybody.
        if let [only] = written
            && only.value.is_empty()
        {
            return Scope::default();
        }
        let mut groups = Vec::with_capacity(written.len());
        for group in written {
            if group.value.is_empty() {
                self.tell(
                    Diagnostic::new(Code::BadScope, group.place, "an empty group stands beside others")
                        .label("everybody passes this one")
                        .help(format!(
                            "leave the group out, or leave the whole `{}` out where everybody may",
                            self.manner.scope
                        )),
                );
                continue;
            }
            let permissions = group.value.iter().filter_map(|text| self.permission(text, parameters, site)).collect();
            groups.push(permissions);
        }
        Scope { groups, when: None }
    }

    fn permission(&mut self, text: &Placed<String>, parameters: &[Judged], site: &Site<'_>) -> Option<Permission> {
        let permission = Permission::parse(&text.value, text.place)
            .filter(|permission| !permission.text.trim().is_empty() && !permission.text.contains(char::is_control));
        let Some(permission) = permission else {
            let (message, label) = if text.value.trim().is_empty() {
                ("a permission is empty".to_owned(), "no name")
            } else {
                (format!("`{}` is no permission", text.value.escape_debug()), "malformed")
            };
            self.tell(
                Diagnostic::new(Code::BadScope, text.place, message)
                    .label(label)
                    .help("a permission is a name; `[` and `]` enclose the name of a parameter: `user[user_id]`"),
            );
            return None;
        };
        let mut at = 0;
        for piece in &permission.pieces {
            match piece {
                Piece::Literal(literal) => at += literal.len(),
                Piece::Variable(name) => {
                    let place = inside(text, at, at + name.len());
                    at += name.len();
                    self.variable(name, Placed::new(&permission.text, place), parameters, site);
                }
            }
        }
        Some(permission)
    }

    /// Judges one variable of a permission.
    fn variable(&mut self, name: &str, permission: Placed<&String>, parameters: &[Judged], site: &Site<'_>) {
        let place = permission.place;
        let known = |judged: &&Judged| match &judged.key {
            Some(key) => matches!(key.from, From::Path | From::Position(_) | From::Header),
            None => true,
        };
        let found = parameters.iter().find(|judged| judged.name == name);
        let fault = match found {
            Some(judged) if known(&judged) => return,
            Some(judged) => Diagnostic::new(
                Code::UnknownScopeVariable,
                place,
                format!("the permission `{}` depends on `{}`", permission.value, judged.written),
            )
            .label("not known when permissions are looked at")
            .other(judged.place, "the parameter")
            .help("permissions depend on captures, positions and headers only; nothing else is read before them"),
            // A capture that the method does not say is told as such.
            None if site.damaged || captures(site, name) => return,
            None => {
                let fault = Diagnostic::new(
                    Code::UnknownScopeVariable,
                    place,
                    format!("the permission `{}` names a parameter that is not there", permission.value),
                )
                .label("no parameter has this name in code");
                let names = parameters.iter().filter(known).map(|judged| judged.name.as_str());
                match nearest(name, names) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help("name a capture, position or header parameter as code does"),
                }
            }
        };
        self.tell(fault);
    }
}

/// Whether the path of a method has this capture.
fn captures(site: &Site<'_>, name: &str) -> bool {
    let is_it = |segment: &Segment| matches!(segment, Segment::Capture(capture) if capture == name);
    site.path.is_some_and(|path| path.iter().any(is_it))
}
