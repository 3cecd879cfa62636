//! `rulebook serve`: the API on a socket.

use super::{Exit, Settings, output};
use crate::engine::Rulebook;

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings) -> Exit {
    let _ = (app, settings);
    output::complain("not yet\n");
    Exit::Failed
}
