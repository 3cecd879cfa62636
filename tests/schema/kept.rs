//! The schema that projects keep beside their definition.

use std::path::Path;

use rulebook::schema::{Of, schema};

use crate::golden;

#[test]
fn the_schema_that_is_kept_is_that_of_any_file() {
    golden::compare(Path::new("schema/definition.json"), &format!("{:#}\n", schema(Of::AnyFile)));
}
