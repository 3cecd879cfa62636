//! A module as an actix service: requests for its methods in, replies out.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use actix_service::Service;
use futures_util::future::LocalBoxFuture;

use super::download;
use super::links::Links;
use super::receive::{Arriving, receive};
use super::uploading::Uploads;
use crate::call::Head;
use crate::pipeline::{self, Answered, Reply, Runner};
use crate::plan::Found;

/// The service of one module.
pub(super) struct ModuleService {
    runner: Arc<Runner>,
    /// Counted by this worker alone: all requests take a hold on it.
    folders: Rc<Folders>,
}

/// Where files are that come and go.
struct Folders {
    uploads: Arc<Uploads>,
    links: Arc<Links>,
}

/// A request for a method of the module.
pub(super) struct Call<'r> {
    /// Its head.
    pub(super) head: &'r Arc<Head>,
    /// Its method.
    pub(super) found: Found<'r>,
    /// Its body.
    pub(super) body: &'r mut Arriving,
}

impl ModuleService {
    pub(super) fn new(runner: &Arc<Runner>, uploads: &Arc<Uploads>, links: &Arc<Links>) -> Self {
        let folders = Folders { uploads: Arc::clone(uploads), links: Arc::clone(links) };
        Self { runner: Arc::clone(runner), folders: Rc::new(folders) }
    }
}

impl<'r> Service<Call<'r>> for ModuleService {
    type Response = Reply;
    type Error = Infallible;
    type Future = LocalBoxFuture<'r, Result<Reply, Infallible>>;

    actix_service::always_ready!();

    fn call(&self, call: Call<'r>) -> Self::Future {
        let (runner, folders) = (Arc::clone(&self.runner), Rc::clone(&self.folders));
        Box::pin(async move {
            let Call { head, found, body } = call;
            let (plan, method) = (&runner.plan, &runner.plan.methods[found.method]);
            let receive = async |kind| receive(body, kind, plan, method, &folders.uploads).await;
            Ok(match pipeline::answer(&runner, head, found, receive).await {
                Answered::Reply(reply) => reply,
                // In a box: it would make the future of every other answer larger.
                Answered::Download(download) => {
                    Box::pin(download::reply(&runner.plan, head, &folders.links, download)).await
                }
            })
        })
    }
}
