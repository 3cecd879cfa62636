//! Files to another server.

use std::io::{self, Read};
use std::path::PathBuf;

use ureq::SendBody;
use ureq::http::{StatusCode, header};

use super::form::Form;
use super::refused::{refused, refused_in_success};
use super::{Checked, Client, Digest, Failure, News, Server, Watch};
use crate::call::ETag;

/// A file, and the name that it is to have on the server.
pub(crate) struct Outgoing {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// In which state of the server's the files are to be kept (RFC 9110 section 13.1).
pub(crate) enum Condition {
    /// In any.
    Any,
    /// Where there are none of these names.
    Absent,
    /// Where the file of this name is the one with this tag.
    Is(ETag),
}

/// Sends files, several of them in one request, so that the server keeps all or none. Gives the digest of each, and
/// whether the server has said the same.
///
/// # Errors
/// A file cannot be read, the server cannot be reached, refuses, or has kept something else.
pub(crate) fn send(
    client: &Client,
    server: &Server,
    files: &[Outgoing],
    condition: &Condition,
    watch: Watch<'_>,
) -> Result<(Vec<Digest>, Checked), Failure> {
    client.attempts(watch, |watch| attempt(client, server, files, condition, watch))
}

fn attempt(
    client: &Client,
    server: &Server,
    files: &[Outgoing],
    condition: &Condition,
    watch: Watch<'_>,
) -> Result<(Vec<Digest>, Checked), Failure> {
    let url = if files.len() == 1 { server.file() } else { server.files() };
    // Names first: the server can refuse one before a file has been sent.
    let names: Vec<_> = files.iter().map(|file| ("filename", file.name.as_str())).collect();
    let contents: Vec<_> = files.iter().map(|file| ("content", last(&file.name), file.path.as_path())).collect();
    let mut form = Form::new(&names, &contents)?;
    let mut fields = vec![
        (header::CONTENT_TYPE, form.media_type()),
        (header::CONTENT_LENGTH, form.length().to_string()),
        // Whether the key will do is said before anything is sent.
        (header::EXPECT, "100-continue".to_owned()),
    ];
    match condition {
        Condition::Any => {}
        Condition::Absent => fields.push((header::IF_NONE_MATCH, "*".to_owned())),
        Condition::Is(tag) => fields.push((header::IF_MATCH, tag.to_string())),
    }
    watch(News::Begun { done: 0, of: Some(form.length()) });
    let mut watched = Watched { form: &mut form, watch };
    let answer = match client.ask("POST", &url, fields, SendBody::from_reader(&mut watched)) {
        Ok(answer) => answer,
        Err(error) => return Err(lost(error, form, condition)),
    };
    if !answer.status().is_success() {
        return Err(refused(answer));
    }
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::NO_CONTENT
        && let Some(refused) = refused_in_success(&head.headers, body)
    {
        return Err(refused);
    }
    let digests = form.digests().to_vec();
    match *digests {
        [own] => Ok((digests, own.check(Digest::told(&head.headers))?)),
        // One tag does not tell of several.
        _ => Ok((digests, Checked::Untold)),
    }
}

/// What it means that there is no answer.
fn lost(error: ureq::Error, form: Form, condition: &Condition) -> Failure {
    let begun = form.done() > 0;
    match (form.failure(), condition) {
        (Some(failure), _) => failure,
        // Sending the same once more does no harm, unless it is asked to meet what may have been kept.
        (None, Condition::Any) => Failure::Connection(error),
        (None, _) if !begun => Failure::Connection(error),
        (None, _) => Failure::Unknown(error),
    }
}

/// The last part of a name.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A form that tells how far it is.
struct Watched<'a, 'w> {
    form: &'a mut Form,
    watch: Watch<'w>,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.form.read(buffer)?;
        (self.watch)(News::More(read as u64));
        Ok(read)
    }
}
