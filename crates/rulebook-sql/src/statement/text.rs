//! The texts of statements, and where each part of them is written: in a string of the definition, or in a file.

use std::ops::Range;
use std::sync::Arc;

use rulebook::handler_kind::{HandlerError, JsonData, JsonNode};
use rulebook_model::diagnostic::Source;
use rulebook_model::span::Span;

use super::quotes::marks;
use super::tokens::tokenize;
use crate::database::Dialect;

/// The index of the file in the spans of a text that is not in a file of the definition.
const STATEMENT_FILE: u32 = u32::MAX;

/// The text of a statement. Fragments can replace parts of it.
#[derive(Debug, Clone)]
pub(crate) struct StatementText {
    text: String,
    /// The parts of the text in their order.
    parts: Vec<Part>,
    /// The span of the string; that of a file is its beginning, because a whole file is too long to show.
    whole: Span,
    /// The file that contains the statement; `None` if it is in the definition.
    file: Option<Arc<Source>>,
}

#[derive(Debug, Clone)]
struct Part {
    /// The offset of the part in the text.
    start: usize,
    origin: Origin,
}

/// Where a part of a text is written.
#[derive(Debug, Clone)]
enum Origin {
    /// In a string, from an offset.
    String(Arc<JsonNode>, usize),
    /// Nowhere: the engine has added it because of this setting.
    Added(Span),
}

impl From<&JsonNode> for StatementText {
    /// Creates the text of a string; another value has no text.
    fn from(node: &JsonNode) -> Self {
        let text = match &node.data {
            JsonData::String(text) => text.clone(),
            _ => String::new(),
        };
        let parts = vec![Part { start: 0, origin: Origin::String(Arc::new(node.clone()), 0) }];
        Self { text, parts, whole: node.span, file: None }
    }
}

impl StatementText {
    /// Creates the text that is the content of a file.
    pub(crate) fn in_file(file: Source) -> Self {
        let end = u32::try_from(file.text.len()).unwrap_or(u32::MAX);
        let span = Span { file: STATEMENT_FILE, start: 0, end };
        let data = JsonData::String(file.text.clone());
        let node = JsonNode { data, span, escaped: None, expanded: None };
        Self { file: Some(Arc::new(file)), whole: Span { end: 0, ..span }, ..Self::from(&node) }
    }

    /// Returns a text without parts in the same place.
    fn emptied(&self) -> Self {
        Self { text: String::new(), parts: Vec::new(), whole: self.whole, file: self.file.clone() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the file that contains the statement.
    pub(crate) fn file(&self) -> Option<&Source> {
        self.file.as_deref()
    }

    /// Returns the span of a part of the text.
    pub(crate) fn part(&self, range: Range<usize>) -> Span {
        let index = self.parts.partition_point(|part| part.start <= range.start).saturating_sub(1);
        let Some(part) = self.parts.get(index) else { return Span::default() };
        match &part.origin {
            Origin::Added(span) => *span,
            Origin::String(node, offset) => {
                let next = self.parts.get(index + 1).map_or(self.text.len(), |next| next.start);
                let within = |place: usize| place.min(next) - part.start + offset;
                node.part(within(range.start), within(range.end.max(range.start)))
            }
        }
    }

    /// Returns the span of the string, or of the beginning of the file.
    pub(crate) fn span(&self) -> Span {
        self.whole
    }

    /// Returns the error with the file that contains its span.
    pub(crate) fn locate(&self, error: HandlerError) -> HandlerError {
        match (&self.file, error.span) {
            (Some(file), Some(span)) if span.file == STATEMENT_FILE => error.in_file(Arc::clone(file)),
            _ => error,
        }
    }

    /// Returns the end of the statement: a semicolon, or the end of the text.
    pub(crate) fn end(&self, dialect: Dialect) -> usize {
        tokenize(&self.text, dialect).map_or(self.text.len(), |tokens| tokens.end)
    }

    /// Returns the names of the comments that consist of a name: `/*order*/`.
    pub(crate) fn marks(&self, dialect: Dialect) -> Vec<String> {
        marks(&self.text, dialect).into_iter().map(|(_, name)| name.to_owned()).collect()
    }

    /// Replaces each comment that is a name for which `fragment` returns a string. The fragment `None` is empty.
    pub(crate) fn with_fragments<'f>(
        &self,
        dialect: Dialect,
        fragment: impl Fn(&str) -> Option<Option<&'f Arc<JsonNode>>>,
    ) -> Self {
        let mut replaced = self.emptied();
        let mut copied = 0;
        for (range, name) in marks(&self.text, dialect) {
            let Some(node) = fragment(name) else { continue };
            replaced.push_part_of(self, copied..range.start);
            if let Some((node, text)) = node.and_then(|node| Some((node, node.string()?.value))) {
                replaced.push(&text, Origin::String(Arc::clone(node), 0));
            }
            copied = range.end;
        }
        replaced.push_part_of(self, copied..self.text.len());
        replaced
    }

    /// Returns a part of the text between two texts that a setting adds.
    pub(crate) fn enclosed(&self, before: &str, inner: Range<usize>, after: &str, setting: Span) -> Self {
        let mut enclosed = self.emptied();
        enclosed.push(before, Origin::Added(setting));
        enclosed.push_part_of(self, inner);
        enclosed.push(after, Origin::Added(setting));
        enclosed
    }

    fn push(&mut self, text: &str, origin: Origin) {
        if !text.is_empty() {
            self.parts.push(Part { start: self.text.len(), origin });
            self.text.push_str(text);
        }
    }

    /// Appends a range of another text, with the origins of its parts.
    fn push_part_of(&mut self, other: &Self, range: Range<usize>) {
        for (index, part) in other.parts.iter().enumerate() {
            let next = other.parts.get(index + 1).map_or(other.text.len(), |next| next.start);
            let (start, end) = (part.start.max(range.start), next.min(range.end));
            if start < end {
                let origin = match &part.origin {
                    Origin::String(node, offset) => Origin::String(Arc::clone(node), offset + start - part.start),
                    Origin::Added(span) => Origin::Added(*span),
                };
                self.push(&other.text[start..end], origin);
            }
        }
    }
}
