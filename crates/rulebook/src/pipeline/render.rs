//! Renders documents on another thread, within the limits of the documents for callers.

use std::sync::Arc;

use rulebook_model::error::ErrorCode;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::call::ApiError;
use crate::plan::{CallerDocuments, LazyDocuments, Plan};

/// Limits the number of audiences without a limit of time whose documents are rendered at the same time, because
/// rendering occupies a processor and needs much memory.
static RENDER_PERMITS: Semaphore = Semaphore::const_new(2);
/// The permit to render documents for callers. Only one thread renders them, so that the other processors are free for
/// calls.
static CALLER_PERMIT: Semaphore = Semaphore::const_new(1);

/// The maximum number of methods of an API for which a worker itself finds the methods that a caller can call.
const MAX_METHODS_IN_WORKER: usize = 1_000;

/// Returns the documents for callers with these permissions, which may not be rendered yet. Fails if the API is large,
/// the methods that the caller can call are not known, and the time for documents for callers is used up.
pub(super) async fn find_caller_documents(
    plan: &Plan,
    permissions: &[Box<str>],
) -> Result<Arc<LazyDocuments>, ApiError> {
    let cache = plan.documents.for_callers();
    if let Some(documents) = cache.find(permissions) {
        return Ok(documents);
    }
    if plan.methods.len() <= MAX_METHODS_IN_WORKER {
        return Ok(cache.find_or_add(permissions));
    }
    let (searched, permissions) = (Arc::clone(cache), permissions.to_vec());
    run_for_callers(cache, move || searched.run(|| searched.find_or_add(&permissions))).await
}

/// Renders the documents if they do not exist yet. If several requests need the documents at the same time, the first
/// request starts to render, and the other requests wait. Rendering continues even if the client of the first request
/// disconnects. Fails if the documents are for a caller, and the time for such documents is used up.
pub(super) async fn render_if_needed(documents: &Arc<LazyDocuments>) -> Result<(), ApiError> {
    if documents.is_rendered() {
        return Ok(());
    }
    let render_lock = Arc::clone(&documents.render_lock).lock_owned().await;
    if documents.is_rendered() {
        return Ok(());
    }
    let permit = match documents.limited_by() {
        None => Some(RENDER_PERMITS.acquire().await.map_err(ApiError::internal)?),
        Some(_) => None,
    };
    let unrendered = Arc::clone(documents);
    run_rendering(documents, move || {
        unrendered.get_or_render();
        // The lock and the permit are released only when rendering has ended. If the future of the request held the
        // lock and the client disconnected, the next request would start to render a second time.
        drop((render_lock, permit));
    })
    .await
}

/// Runs work that renders some of these documents on another thread. Fails if the documents are for a caller, and the
/// time for such documents is used up.
pub async fn run_rendering<T: Send + 'static>(
    documents: &Arc<LazyDocuments>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let Some(cache) = documents.limited_by() else {
        return spawn_blocking(work).await.map_err(ApiError::internal);
    };
    let documents = Arc::clone(documents);
    run_for_callers(&cache, move || documents.run(work)).await
}

/// Runs work for documents for callers on another thread, one after the other.
async fn run_for_callers<T: Send + 'static>(
    cache: &CallerDocuments,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let check_time = || if cache.has_time() { Ok(()) } else { Err(ApiError::plain(ErrorCode::Unavailable)) };
    check_time()?;
    let permit = CALLER_PERMIT.acquire().await.map_err(ApiError::internal)?;
    // Other work may have used up the time while this request waited.
    check_time()?;
    let work = move || {
        let _permit = permit;
        work()
    };
    spawn_blocking(work).await.map_err(ApiError::internal)
}
