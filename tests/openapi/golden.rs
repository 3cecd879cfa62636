//! Whole documents, as they are kept.

use std::path::Path;

use rulebook::describe::openapi;

use super::engine_in;
use crate::golden;

#[test]
fn documents_are_as_they_are_kept() {
    for (folder, kept) in [("api", "demo.json"), ("tests/definitions/good/everything", "everything.json")] {
        let document = openapi(engine_in(Path::new(folder)).api());
        golden::compare(&Path::new("tests/openapi").join(kept), &format!("{document:#}\n"));
    }
}
