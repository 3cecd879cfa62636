//! Reports the changes of the definition to the pages, which then load again or say that it has errors (`serve
//! --watch`).

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::unix_time::unix_time;

/// The path at which pages wait for the next change.
pub(super) const CHANGES_PATH: &str = "/docs/changes";
/// The query parameter with the number of the change that a page knows.
pub(super) const KNOWN_PARAMETER: &str = "known";
/// The time after which a page that waits gets a response and asks again, so that the server keeps no request of a page
/// that was closed.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// The last change of the definition.
#[derive(Debug)]
struct Change {
    /// Another number after each change, also after a restart of the server.
    number: u64,
    /// Since when the changed definition is not served.
    refused: Option<Timestamp>,
}

pub(super) struct Changes(watch::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        // Fewer changes are made than seconds pass.
        Self(watch::Sender::new(Change { number: unix_time(), refused: None }))
    }
}

impl Changes {
    /// Notes that the definition has changed, and was served unless it is refused.
    pub(super) fn report(&self, is_refused: bool) {
        let refused = is_refused.then(Timestamp::now);
        self.0.send_modify(|change| *change = Change { number: change.number + 1, refused });
    }

    /// Returns when the server has refused the changed definition; `None` if it serves it.
    pub(super) fn refused_at(&self) -> Option<Timestamp> {
        self.0.borrow().refused
    }

    /// Lets all pages ask again, because the server stops.
    pub(super) fn end_waiting(&self) {
        self.0.send_modify(|change| change.number += 1);
    }

    /// Waits until there is another change than the one with the number `known`, and returns it as JSON: without the
    /// errors, which quote the definition, because any client can ask.
    pub(super) async fn next_after(&self, known: Option<u64>) -> Bytes {
        let mut changes = self.0.subscribe();
        // After the time, the page gets the change that it knows. The channel is open as long as the server.
        let _ = timeout(MAX_WAIT, changes.wait_for(|change| Some(change.number) != known)).await;
        let Change { number, refused } = &*changes.borrow();
        json!({ "number": number, "is_refused": refused.is_some() }).to_string().into()
    }
}
