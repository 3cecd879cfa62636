//! Waits until each worker has had a turn, because a stopping server knows of a connection only from then on.
//!
//! The thread that accepts connections passes them to workers, which count them when they begin to serve them. On a
//! machine with much work, a worker may begin much later. If the server stopped its workers before that, it would close
//! these connections, although their clients have already sent requests.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;

/// How often a worker lets its other tasks run before its turn is over. It takes the connections that were passed to it
/// in portions, of 128 with the version of tokio that the server uses: together as many as can wait at a socket.
const ROUNDS: usize = 32;

#[derive(Default)]
pub(super) struct WorkerTurns(Mutex<Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>>);

impl WorkerTurns {
    /// Adds the worker of this thread. Must be called in its runtime. A worker of several addresses is added once for
    /// each of them, which only makes it take several turns.
    pub(super) fn add_worker(&self) {
        let (asking, mut asked) = mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asking);
        actix_rt::spawn(async move {
            while let Some(turn) = asked.recv().await {
                for _ in 0..ROUNDS {
                    yield_now().await;
                }
                drop::<oneshot::Sender<()>>(turn);
            }
        });
    }

    /// Waits until each worker has begun to serve the connections that have been passed to it.
    pub(super) async fn wait_for_all(&self) {
        let turns: Vec<_> = {
            let workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            workers
                .iter()
                .map(|worker| {
                    let (turn, ended) = oneshot::channel();
                    // A worker that has ended drops the turn.
                    let _ = worker.send(turn);
                    ended
                })
                .collect()
        };
        for ended in turns {
            // A worker never sends a value: it ends its turn by dropping the sender.
            let _: Result<(), _> = ended.await;
        }
    }
}
