//! Names that stand for a path of two segments, and the services that they lead to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::envelope::Envelope;
use crate::model::Segment;

/// What stands in front of a name of PhalApi's whole form, `App.Class.method`.
const NAMESPACE: &str = "App.";

/// Services that are named in the query of base or in a body, as PhalApi has them.
pub struct Named {
    /// By name.
    pub classes: Classes,
    /// The service that answers where none is named.
    pub default: Option<usize>,
    /// The shape of the answer where a name is that of none.
    pub envelope: Arc<dyn Envelope>,
}

/// Services by `Class.method`: of the class the first letter, of the method no letter has case, within ASCII as in PHP.
#[derive(Debug, Default)]
pub struct Classes(HashMap<Box<str>, usize>);

impl Classes {
    /// Adds a service whose path is two static segments; others have no name. Tells the one that has the name already.
    pub fn insert(&mut self, path: &[Segment], service: usize) -> Option<usize> {
        let [Segment::Static(class), Segment::Static(method)] = path else { return None };
        if class.contains('.') || method.contains('.') {
            return None;
        }
        let key = key(class, method).into();
        match self.0.get(&key) {
            Some(first) => Some(*first),
            None => {
                self.0.insert(key, service);
                None
            }
        }
    }

    /// The service of this name: `Class.method`, or the same behind `App.`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let whole = name.strip_prefix(NAMESPACE).filter(|rest| rest.contains('.'));
        let (class, method) = whole.unwrap_or(name).split_once('.')?;
        self.0.get(&*key(class, method)).copied()
    }
}

fn key(class: &str, method: &str) -> String {
    let mut key = String::with_capacity(class.len() + 1 + method.len());
    key.push_str(class);
    if let Some(first) = key.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    key.push('.');
    let start = key.len();
    key.push_str(method);
    key[start..].make_ascii_lowercase();
    key
}

/// Services by module and method, as api 3.0 has them in a body: the two segments of their paths, compared as paths
/// are.
#[derive(Debug, Default)]
pub struct Modules {
    exact: HashMap<Box<str>, usize>,
    folded: HashMap<Box<str>, usize>,
}

impl Modules {
    /// Adds a service whose path is two static segments; others have no name.
    pub fn insert(&mut self, path: &[Segment], service: usize, ignore_case: bool) {
        let [Segment::Static(module), Segment::Static(method)] = path else { return };
        // No segment of a definition holds a slash.
        let key = format!("{module}/{method}");
        if ignore_case {
            self.folded.insert(key.to_lowercase().into(), service);
        } else {
            self.exact.insert(key.into(), service);
        }
    }

    /// The service of these names.
    #[must_use]
    pub fn find(&self, module: &str, method: &str) -> Option<usize> {
        let key = format!("{module}/{method}");
        self.exact.get(&*key).or_else(|| self.folded.get(&*key.to_lowercase())).copied()
    }
}
