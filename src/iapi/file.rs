//! Files from one server to another.

use serde::Deserialize;

use super::refused::{self, away};
use crate::call::{Download, Head, Refusal, Upload};
use crate::filename::Name;
use crate::handler::{Args, Context};
use crate::store::{Precondition, Publication};

/// What [`download`] takes.
#[derive(Deserialize)]
pub struct Which {
    filename: String,
}

/// What [`upload`] takes.
#[derive(Deserialize)]
pub struct One {
    content: Upload,
    filename: String,
}

/// What [`upload_all`] takes: as many names as files.
#[derive(Deserialize)]
pub struct Several {
    content: Vec<Upload>,
    filename: Vec<String>,
}

/// Gives a stored file. Its parameter is `filename`, of the type `filename`; the method has the option `download`.
///
/// # Errors
/// Declared: `no_such_file`, `not_allowed` where the name is none of those of the caller's key.
pub async fn download(Args(which): Args<Which>, context: Context) -> Result<Download, Refusal> {
    let name = allowed(&context, &which.filename)?;
    let store = context.store()?;
    let last = name.parts().last().unwrap_or_default().to_owned();
    let found = match store.read_at_once(&name) {
        Some(found) => found,
        None => away(move || store.read(&name)).await?,
    };
    let found = found.map_err(refused::refusal)?;
    // Its tag is made from its content: whoever has it asks only whether it is still the same.
    Ok(Download::from(found).name(last).header("Cache-Control", "no-cache").inline())
}

/// Keeps a file, in place of the one that has its name unless the request forbids that (`If-None-Match: *`, `If-Match`).
/// Its parameters are `content`, of the type `file`, and `filename`, of the type `filename`.
///
/// # Errors
/// Declared: `not_allowed`, `precondition_failed`, `name_taken`, `no_room`.
pub async fn upload(Args(one): Args<One>, context: Context) -> Result<(), Refusal> {
    let several = Several { content: vec![one.content], filename: vec![one.filename] };
    let tags = keep(several, &context).await?;
    tags.first().map_or(Ok(()), |tag| Ok(context.set_header("ETag", tag.as_str())?))
}

/// Keeps several files, all or none. Its parameters are as those of [`upload`], lists of them, as long as each other.
///
/// # Errors
/// As of [`upload`], and declared: `count_mismatch`, `duplicate_filename`.
pub async fn upload_all(Args(several): Args<Several>, context: Context) -> Result<(), Refusal> {
    keep(several, &context).await.map(drop)
}

/// Keeps files, and gives their tags.
async fn keep(several: Several, context: &Context) -> Result<Vec<String>, Refusal> {
    let Several { content, filename } = several;
    if content.len() != filename.len() {
        return Err(Refusal::declared("count_mismatch"));
    }
    let names = filename.iter().map(|name| allowed(context, name)).collect::<Result<Vec<_>, _>>()?;
    let precondition = context.head().map_or_else(Precondition::default, |head: &Head| Precondition::of(head));
    let store = context.store()?;
    let kept = away(move || {
        let publications = names.into_iter().zip(&content).map(|(name, upload)| {
            Ok(Publication { staged: store.stage(upload)?, name, precondition: precondition.clone() })
        });
        store.publish_all(publications.collect::<Result<_, _>>()?)
    });
    let facts = kept.await?.map_err(refused::refusal)?;
    Ok(facts.into_iter().filter_map(|facts| facts.etag).map(|etag| etag.to_string()).collect())
}

/// The name, if the caller's key allows it; that the definition does has been checked.
fn allowed(context: &Context, text: &str) -> Result<Name, Refusal> {
    // The type `filename` lets nothing else pass.
    refused::unless_allowed(context, Name::parse(text).map_err(Refusal::internal)?)
}
