//! Files from another server.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, Response, StatusCode, header};

use super::client::PIECE;
use super::part::Part;
use super::refused::refused;
use super::{Checked, Client, Digest, Failure, News, Server, Watch};

/// What is to be fetched.
pub(crate) struct Wish {
    /// Its name on the server.
    pub(crate) name: String,
    /// Where it goes.
    pub(crate) target: PathBuf,
    /// Only where the server has another content than the file that is there.
    pub(crate) if_changed: bool,
}

/// What there is now.
pub(crate) enum Fetched {
    /// The server's file.
    New(Digest, Checked),
    /// The file that was there: the server has the same.
    Same(Digest),
}

/// What one attempt came to.
enum Came {
    /// All of it.
    Whole,
    /// Nothing: what is here is the same.
    Same(Digest),
}

/// Fetches a file. What is received of it is kept beside its place, so that an attempt goes on where the one before
/// ended, also one of another run; only the whole gets its place.
///
/// # Errors
/// The server cannot be reached, refuses, or has something else than what came; the file cannot be written.
pub(crate) fn fetch(client: &Client, server: &Server, wish: &Wish, watch: Watch<'_>) -> Result<Fetched, Failure> {
    let known = if wish.if_changed { known(wish)? } else { None };
    let mut part = Part::open(&wish.target)?;
    match client.attempts(watch, |watch| attempt(client, server, wish, known, &mut part, watch))? {
        Came::Same(digest) => Ok(Fetched::Same(digest)),
        Came::Whole => part.finish().map(|(digest, checked)| Fetched::New(digest, checked)),
    }
}

/// The digest of the file that is there.
fn known(wish: &Wish) -> Result<Option<Digest>, Failure> {
    let told = Failure::of(&wish.target);
    match File::open(&wish.target) {
        Ok(file) => Digest::read(file).map(Some).map_err(told),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(error)),
    }
}

fn attempt(
    client: &Client,
    server: &Server,
    wish: &Wish,
    known: Option<Digest>,
    part: &mut Part,
    watch: Watch<'_>,
) -> Result<Came, Failure> {
    let mut url = server.file();
    url.query_pairs_mut().append_pair("filename", &wish.name);
    let resumed = part.resumable();
    // Ranges, lengths and tags are those of the content as it is.
    let mut fields = vec![(header::ACCEPT_ENCODING, "identity".to_owned())];
    if let Some(known) = known {
        fields.push((header::IF_NONE_MATCH, known.tag().to_string()));
    }
    if let Some(tag) = resumed {
        fields.push((header::RANGE, format!("bytes={}-", part.length())));
        fields.push((header::IF_RANGE, tag.tag().to_string()));
    }
    let answer = client.ask("GET", &url, fields, ()).map_err(Failure::Connection)?;
    let coding = text(answer.headers(), header::CONTENT_ENCODING);
    if answer.status().is_success() && coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Failure::Senseless("the content is encoded, which was not asked for"));
    }
    match (answer.status(), known, resumed) {
        (StatusCode::NOT_MODIFIED, Some(known), _) => Ok(Came::Same(known)),
        (StatusCode::OK, ..) => {
            part.begin(Digest::told(answer.headers()))?;
            receive(answer, part, watch)
        }
        (StatusCode::PARTIAL_CONTENT, _, Some(tag)) if goes_on(answer.headers(), tag, part.length()) => {
            receive(answer, part, watch)
        }
        // All of it had come before.
        (StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) if part.is_whole() => Ok(Came::Whole),
        (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) => {
            part.discard()?;
            attempt(client, server, wish, known, part, watch)
        }
        (StatusCode::PARTIAL_CONTENT, ..) => Err(Failure::Senseless("a part, where the whole was asked for")),
        _ => Err(refused(answer)),
    }
}

/// Whether an answer of status 206 goes on with the same content behind so many bytes of it.
fn goes_on(fields: &HeaderMap, tag: Digest, behind: u64) -> bool {
    let range = text(fields, header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let first = range.and_then(|range| range.split_once('-')).and_then(|(first, _)| first.parse().ok());
    first == Some(behind) && Digest::told(fields) == Some(tag)
}

/// Takes the body of an answer.
fn receive(answer: Response<Body>, part: &mut Part, watch: Watch<'_>) -> Result<Came, Failure> {
    let mut body = answer.into_body();
    let done = part.length();
    watch(News::Begun { done, of: body.content_length().map(|more| done.saturating_add(more)) });
    let mut reader = body.as_reader();
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece) {
            // The reader knows the length that was announced, and does not end before.
            Ok(0) => return Ok(Came::Whole),
            Ok(read) => {
                part.write(&piece[..read])?;
                watch(News::More(read as u64));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Connection(error.into())),
        }
    }
}

fn text(fields: &HeaderMap, name: HeaderName) -> Option<&str> {
    fields.get(name)?.to_str().ok()
}
