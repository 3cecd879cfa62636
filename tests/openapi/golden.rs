//! Compares whole OpenAPI documents with golden files.

use std::path::Path;

use rulebook_model::describe::openapi;
use rulebook_model::model::Unbound;

use super::engine_of_folder;
use support::golden;

#[test]
fn openapi_documents_equal_the_golden_files() {
    for (folder, kept) in
        [("api", "demo.json"), ("good/everything", "everything.json"), ("good/response-fields", "response-fields.json")]
    {
        let definitions = Path::new("crates/rulebook-model/tests/definitions");
        let folder = if folder == "api" { Path::new(folder).to_owned() } else { definitions.join(folder) };
        let mut api = engine_of_folder(&folder).api().clone();
        // With `echo`, the documents describe the arguments instead of the outputs.
        api.unbound = Unbound::default();
        let document = openapi(&api);
        golden::compare(&Path::new("tests/openapi").join(kept), &format!("{document:#}\n"));
    }
}
