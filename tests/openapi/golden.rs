//! Compares whole OpenAPI documents with golden files.

use std::path::Path;

use rulebook_model::describe::openapi;

use super::engine_of_folder;
use support::golden;

#[test]
fn openapi_documents_equal_the_golden_files() {
    for (folder, kept) in
        [("api", "demo.json"), ("crates/rulebook-model/tests/definitions/good/everything", "everything.json")]
    {
        let document = openapi(engine_of_folder(Path::new(folder)).api());
        golden::compare(&Path::new("tests/openapi").join(kept), &format!("{document:#}\n"));
    }
}
