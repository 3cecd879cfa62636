//! Templates of permissions: `user[{sub}]` becomes the permission `user[7]` if the claim `sub` of a token is `7`.
//!
//! The values of claims can come from users, for example a name that a user has chosen. So a value never becomes a part
//! of a permission if it contains a character that has a meaning there.

use rulebook::Claims;
use rulebook::handler_kind::settings::{non_empty_text, texts};
use rulebook::handler_kind::{HandlerError, JsonData, JsonNode};
use serde_json::{Map, Value as Json};

/// The maximum number of permissions from one template, and the maximum length of all of them together in bytes. A
/// short token would otherwise give many long permissions, if a template combines a long value with many others.
const MAX_PERMISSIONS: usize = 1000;
const MAX_PERMISSION_BYTES: usize = 64 << 10;
/// The claims whose text is a list, separated by spaces: `scope` (RFC 8693 section 4.2), and `scp`, its name in the
/// tokens of some issuers.
const SPACE_SEPARATED: [&str; 2] = ["scope", "scp"];

/// The only value that the templates of [`name_templates`] can insert.
const NAME: &str = "name";

#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    /// The values of the claim with this name.
    Claim(String),
}

impl Template {
    /// Returns the template of the permissions in a claim.
    pub fn claim(name: &str) -> Self {
        Self(vec![Piece::Claim(name.to_owned())])
    }

    /// Parses the text of a template. `node` is its place in the definition.
    /// Fails if a brace or a bracket is not closed, a claim has no name, or the text cannot be a permission.
    pub fn parse(text: &str, node: &JsonNode) -> Result<Self, HandlerError> {
        let error = |message: &str, start, end| HandlerError::new(message).at(node.part(start, end));
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let literal = rest.find(['{', '}']).unwrap_or(rest.len());
            if literal > 0 {
                pieces.push(Piece::Literal(rest[..literal].to_owned()));
                at += literal;
                continue;
            }
            let Some(end) = rest.find('}').filter(|end| *end > 0) else {
                let help = "write the name of a claim in braces: `user[{sub}]`";
                return Err(error("this brace has no counterpart", at, at + 1).help(help));
            };
            let name = &rest[1..end];
            if name.is_empty() || name.contains('{') {
                let help = "write the name of a claim in the braces: `{sub}`";
                return Err(error("this is not the name of a claim", at, at + end + 1).help(help));
            }
            pieces.push(Piece::Claim(name.to_owned()));
            at += end + 1;
        }
        if pieces.is_empty() {
            return Err(error("a permission must not be empty", 0, 0));
        }
        if let Some(at) = misplaced_bracket(text) {
            let help = "write the value of a permission in brackets: `user[{sub}]`";
            return Err(error("brackets in a permission are closed, not empty and not nested", at, at + 1).help(help));
        }
        let invalid = text.char_indices().find(|(_, c)| c.is_whitespace() || c.is_control() || *c == ',');
        match invalid {
            Some((start, c)) => Err(error("a permission cannot contain this character", start, start + c.len_utf8())),
            None => Ok(Self(pieces)),
        }
    }

    /// Returns the names of the claims that the template inserts.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Claim(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// Returns the permissions of a caller whose token has these claims: one for each value, and none if a claim is
    /// missing. Values that cannot be part of a permission are omitted, and so are permissions above the limits.
    pub fn permissions(&self, claims: &Claims) -> Vec<String> {
        let mut permissions = vec![String::new()];
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => permissions = limited(permissions.iter().map(|start| format!("{start}{text}"))),
                Piece::Claim(name) => {
                    let values = claims.get(name).map(|value| claim_values(name, value)).unwrap_or_default();
                    let (starts, values) = (&permissions, &values);
                    let with = |start| values.iter().map(move |value| format!("{start}{value}"));
                    permissions = limited(starts.iter().flat_map(with));
                }
            }
        }
        permissions
    }
}

/// Returns the first permissions, up to the limits. Further ones are not created.
fn limited(permissions: impl Iterator<Item = String>) -> Vec<String> {
    let mut bytes = 0;
    let is_within = |permission: &String| {
        bytes += permission.len();
        bytes <= MAX_PERMISSION_BYTES
    };
    permissions.take(MAX_PERMISSIONS).take_while(is_within).collect()
}

/// Returns the position of a bracket that is not closed, has not been opened, or encloses nothing or other brackets.
/// Brackets in the name of a claim have no meaning.
fn misplaced_bracket(text: &str) -> Option<usize> {
    let (mut opened, mut is_in_claim) = (None, false);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '}' => is_in_claim = c == '{',
            _ if is_in_claim => {}
            '[' if opened.is_some() => return Some(at),
            '[' => opened = Some(at),
            ']' if opened.take().is_none_or(|start| start + 1 == at) => return Some(at),
            _ => {}
        }
    }
    opened
}

/// Returns the items of an array of strings, or a value that is another string.
/// Fails if the value is an array with other items.
pub fn one_or_more<'n>(node: &'n JsonNode, name: &str) -> Result<&'n [JsonNode], Vec<HandlerError>> {
    match &node.data {
        JsonData::Array(items) => texts(node, name).map(|_| &items[..]),
        _ => Ok(std::slice::from_ref(node)),
    }
}

/// Reads a template of permissions, or an array of them, that can only insert the name of the caller. `owner` is the
/// subject of the messages, such as "user". Adds the errors if the value is neither a string nor an array of strings,
/// or a template is not valid.
pub fn name_templates(node: &JsonNode, owner: &str, errors: &mut Vec<HandlerError>) -> Vec<Template> {
    let items = one_or_more(node, "permissions").map_err(|found| errors.extend(found)).unwrap_or_default();
    let mut templates = Vec::new();
    for item in items {
        let text = non_empty_text(item, "permissions");
        match text.and_then(|text| Template::parse(&text.value, item)) {
            Ok(template) => {
                let unknown = template.claims().find(|claim| *claim != NAME);
                errors.extend(unknown.map(|claim| {
                    let message = format!("a {owner} has no value `{}`", claim.escape_debug());
                    HandlerError::new(message).at(item.span).suggest(claim, "values", &[NAME])
                }));
                templates.push(template);
            }
            Err(error) => errors.push(error),
        }
    }
    templates
}

/// Returns the claims of a caller of whom only the name is known.
pub fn name_claims(name: &str) -> Claims {
    Claims::new(Map::from_iter([(NAME.to_owned(), Json::from(name))]))
}

/// Returns the values of a claim: the items of an array or a list, or a single text or whole number.
fn claim_values(name: &str, value: &Json) -> Vec<String> {
    let values: Vec<String> = match value {
        Json::String(text) if SPACE_SEPARATED.contains(&name) => text.split(' ').map(str::to_owned).collect(),
        Json::Array(items) => items.iter().filter_map(single_value).collect(),
        value => single_value(value).into_iter().collect(),
    };
    values.into_iter().filter(|value| is_safe(value)).collect()
}

fn single_value(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// Returns `true` if a value can be part of a permission without changing its structure.
fn is_safe(value: &str) -> bool {
    let is_unsafe = |c: char| matches!(c, '[' | ']' | ',') || c.is_whitespace() || c.is_control();
    !value.is_empty() && !value.contains(is_unsafe)
}
