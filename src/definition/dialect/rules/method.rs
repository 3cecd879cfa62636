//! A method of a class, for each of its HTTP methods.

use std::collections::HashMap;

use super::super::super::keys::ERROR;
use super::super::super::keys::rules::METHOD;
use super::super::super::manner::RULES;
use super::super::super::object::Object;
use super::super::super::text::{Data, Member};
use super::super::super::written::{Method, Options, Service};
use super::super::method::{Groups, error, groups};
use super::returns::returns;
use super::rule::Rule;
use super::{info, rules};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// Reads a method of the class `class`, whose methods all have the rules `common` unless their own are called alike.
pub(super) fn method(
    class: &Placed<String>,
    member: &Member,
    common: &[Rule],
    whole: bool,
    faults: &mut Vec<Diagnostic>,
) -> Option<Service> {
    let mut object = Object::open(&member.value, &METHOD, faults)?;
    let key = &member.key;
    let (own, whole_rules) = rules(&object, &METHOD, faults);
    let all = merged(common, own);
    let outputs = returns(&mut object, faults);
    let errors = object.named("@errors", &ERROR, faults, |name, object, _| error(&RULES, name, object));
    let (scope, whole_scope) =
        object.get("@scope").map_or((Groups::new(), true), |node| groups("@scope", false, node, faults));
    let info = info(&object).unwrap_or_else(|| key.clone().map(|method| format!("{}.{method}", class.value)));
    let methods = http(&object, key.place, &all, faults);
    let jsonp = object.flag("@jsonp");
    let has_get = methods.iter().any(|http| http.value == "GET");
    let damaged = object.damaged || !(whole && whole_rules && whole_scope);
    let methods = methods.into_iter().map(|http| Method {
        // What is said of all of them can only mean the one that can have it.
        options: Options {
            jsonp: jsonp.filter(|jsonp| !jsonp.value || !has_get || http.value == "GET"),
            ..Options::default()
        },
        http,
        id: None,
        info: Some(info.clone()),
        scope: scope.clone(),
        parameters: all.iter().map(|rule| rule.parameter.clone()).collect(),
        outputs: outputs.clone(),
        errors: errors.clone(),
        place: object.place,
        damaged,
    });
    let path = format!("/{}/{}", small(&class.value), key.value);
    Some(Service { path: Placed::new(path, key.place), methods: methods.collect() })
}

/// The rules of a class with those of a method, which win as a whole where names in code are the same. The order is
/// PhalApi's: the class's, with the method's in the places of their own, then the rest.
fn merged(common: &[Rule], own: Vec<Rule>) -> Vec<Rule> {
    let mut all = common.to_vec();
    let by_name: HashMap<&str, usize> =
        common.iter().enumerate().map(|(index, rule)| (rule.name.as_str(), index)).collect();
    for rule in own {
        match by_name.get(rule.name.as_str()).and_then(|index| all.get_mut(*index)) {
            Some(overridden) => *overridden = rule,
            None => all.push(rule),
        }
    }
    all
}

/// The HTTP methods: what `@method` says, else GET and POST, of which GET is no way for what only a body brings.
fn http(object: &Object<'_>, place: Place, rules: &[Rule], faults: &mut Vec<Diagnostic>) -> Vec<Placed<String>> {
    let said = match object.get("@method").map(|node| (&node.data, node)) {
        Some((Data::Text(text), node)) => Some(vec![Placed::new(text.clone(), node.place)]),
        Some((Data::List(_), _)) => object.texts("@method").map(|texts| texts.value),
        _ => None,
    };
    let upper = |name: Placed<String>| name.map(|name| name.to_ascii_uppercase());
    let in_body = rules.iter().any(|rule| rule.in_body);
    let Some(said) = said.filter(|said| !said.is_empty()) else {
        let default: &[&str] = if in_body { &["POST"] } else { &["GET", "POST"] };
        return default.iter().map(|name| Placed::new((*name).to_owned(), place)).collect();
    };
    let said: Vec<_> = said.into_iter().map(upper).collect();
    let bodiless = said.iter().find(|name| matches!(name.value.as_str(), "GET" | "DELETE"));
    // Of files this is told where their types are known.
    if let (Some(http), Some(rule)) = (bodiless, rules.iter().find_map(|rule| rule.posted)) {
        let message = format!("{} has no body, and a rule takes its value from one", http.value);
        faults.push(
            Diagnostic::new(Code::BodyNotAllowed, http.place, message)
                .label("has no body")
                .other(rule, "taken from the body")
                .help("leave `@method` out, or name `POST` alone"),
        );
    }
    said
}

/// The name of a class as a path has it: it begins with a small letter.
fn small(class: &str) -> String {
    let mut letters = class.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
}
