//! Parses paths, whose captures must be whole segments in a definition.

use std::borrow::Cow;

use rulebook_model::uri::percent_decode;

use crate::openapi::names::plain_name;

/// A path, as a definition has it.
#[derive(Debug, Clone, Default)]
pub(super) struct PathTemplate {
    segments: Vec<Segment>,
    /// What the path has lost.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Static(String),
    Capture(Capture),
}

/// A segment that is the value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Capture {
    /// The name in the definition.
    pub name: String,
    /// The names in the description: one, or several for a segment such as `{a}-{b}`.
    parameters: Vec<String>,
    /// The pattern of the segment, if it consists of more than one capture.
    pub pattern: Option<String>,
}

impl PathTemplate {
    /// Returns the path as a key of a definition.
    pub(super) fn text(&self) -> String {
        self.join(|capture| &capture.name)
    }

    /// Returns the path without the names of its captures.
    pub(super) fn shape(&self) -> String {
        self.join(|_| "")
    }

    fn join(&self, capture_name: impl Fn(&Capture) -> &str) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Static(text) => text.clone(),
            Segment::Capture(capture) => format!("{{{}}}", capture_name(capture)),
        };
        self.segments.iter().map(text).collect::<Vec<_>>().join("/")
    }

    /// Returns this path with the names of the captures of a path of the same shape.
    pub(super) fn with_captures_of(mut self, first: &Self) -> Self {
        for (segment, known) in self.segments.iter_mut().zip(&first.segments) {
            if let (Segment::Capture(capture), Segment::Capture(known)) = (segment, known) {
                capture.name.clone_from(&known.name);
            }
        }
        self
    }

    pub(super) fn captures(&self) -> impl Iterator<Item = &Capture> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Capture(capture) => Some(capture),
            Segment::Static(_) => None,
        })
    }

    /// Returns the capture that contains a parameter of the path.
    pub(super) fn capture_of(&self, parameter: &str) -> Option<&Capture> {
        self.captures().find(|capture| capture.parameters.iter().any(|name| name == parameter))
    }
}

/// Parses a path of a description. Returns an error message if a definition cannot have the path.
pub(super) fn parse_path(path: &str) -> Result<PathTemplate, String> {
    if path.contains(['?', '#']) {
        return Err("the path contains a query or a fragment".to_owned());
    }
    let inner = path.strip_prefix('/').unwrap_or(path);
    let mut template = PathTemplate::default();
    let trimmed = inner.trim_end_matches('/');
    if trimmed.len() < inner.len() {
        template.notes.push("the slash at the end of the path is removed".to_owned());
    }
    if trimmed.is_empty() {
        return Ok(template);
    }
    for text in trimmed.split('/') {
        let segment = parse_segment(text, &template)?;
        if let Segment::Capture(Capture { pattern: Some(_), name, .. }) = &segment {
            let note = format!("`{}` is one parameter, `{name}`: a capture is a whole segment", text.escape_debug());
            template.notes.push(note);
        }
        template.segments.push(segment);
    }
    Ok(template)
}

fn parse_segment(text: &str, before: &PathTemplate) -> Result<Segment, String> {
    if text.is_empty() {
        return Err("the path has an empty segment".to_owned());
    }
    let (mut parameters, mut pattern) = (Vec::new(), String::from("^"));
    let mut rest = text;
    while let Some((literal, capture)) = rest.split_once('{') {
        let Some((name, after)) = capture.split_once('}') else {
            return Err(format!("the segment `{text}` has a brace that is not closed"));
        };
        pattern += &escape_pattern(&decode(literal)?);
        pattern += ".+";
        parameters.push(name.to_owned());
        rest = after;
    }
    if parameters.is_empty() {
        if text.contains('}') {
            return Err(format!("the segment `{text}` has a brace that is not opened"));
        }
        let decoded = decode(text)?;
        // Clients resolve these segments before they send a request.
        if [".", ".."].contains(&&*decoded) {
            return Err(format!("the path has the segment `{text}`"));
        }
        return match decoded.contains(['{', '}']) {
            true => Err(format!("the segment `{text}` has a brace that is not a capture")),
            false => Ok(Segment::Static(decoded.into_owned())),
        };
    }
    pattern += &escape_pattern(&decode(rest)?);
    pattern.push('$');
    let is_whole = text == format!("{{{}}}", parameters[0]);
    let mut name = plain_name(&parameters.join("_"));
    while before.captures().any(|capture| capture.name == name) {
        name.push('_');
    }
    Ok(Segment::Capture(Capture { name, parameters, pattern: (!is_whole).then_some(pattern) }))
}

/// Decodes the percent-encoding of the text between two captures: a definition has segments without it.
fn decode(text: &str) -> Result<Cow<'_, str>, String> {
    let text_shown = text.escape_debug();
    let decoded = percent_decode(text).map_err(|_| format!("the percent-encoding in `{text_shown}` is not valid"))?;
    if decoded.contains('/') {
        return Err(format!("the segment `{text_shown}` contains an encoded slash"));
    }
    Ok(decoded)
}

/// Returns a pattern that matches only this text.
fn escape_pattern(text: &str) -> String {
    text.chars().flat_map(|char| (!char.is_alphanumeric()).then_some('\\').into_iter().chain([char])).collect()
}
