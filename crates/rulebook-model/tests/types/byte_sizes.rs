//! Tests of sizes with units, such as `5MB`, in the attributes of files and in limits.

use rulebook_model::describe;
use serde_json::{Value as Json, json};

/// Reads a definition with these settings and a file parameter with these attributes. Returns the canonical form of the
/// definition, or the report of its errors.
fn read(limits: &Json, attributes: &Json) -> Result<Json, String> {
    let mut file = json!({ "info": "I", "type": "file" });
    file.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let method = json!({ "info": "I", "in": { "f": file } });
    let document = json!({ "limits": limits, "modules": { "m": { "POST": method } } });
    let api = rulebook_model::read(vec![("app.json".into(), document.to_string().into_bytes())]);
    api.map(|api| describe::canonical_definition(&api)).map_err(|report| report.render(false))
}

#[test]
fn sizes_of_files_can_have_units() {
    let max = |max: Json| {
        let definition = read(&json!({}), &json!({ "max": max })).unwrap();
        definition.pointer("/modules/m/POST/in/f/max").cloned().unwrap_or_else(|| panic!("{definition}"))
    };
    for (text, bytes) in [("5MB", 5_000_000), ("5 MiB", 5 << 20), ("512kb", 512_000), ("7B", 7)] {
        assert_eq!(max(json!(text)), bytes, "{text}");
    }
    assert_eq!(max(json!(7)), 7);
}

#[test]
fn limits_in_bytes_can_have_units() {
    let definition = read(&json!({ "body": "2MiB", "multipart": "1GB", "part": 100 }), &json!({})).unwrap();
    assert_eq!(definition["limits"], json!({ "body": 2 << 20, "multipart": 1_000_000_000, "part": 100 }));
}

#[test]
fn errors_in_sizes_name_the_units() {
    let units = "a number of bytes, or a size with a unit (B, KB, MB, GB, KiB, MiB, GiB)";
    for invalid in ["5", "5M", "five MB", "1.5MB", "-1MB", ""] {
        let report = read(&json!({}), &json!({ "max": invalid })).unwrap_err();
        assert!(report.contains("bad-type-argument") && report.contains(units), "{report}");
        let report = read(&json!({ "body": invalid }), &json!({})).unwrap_err();
        assert!(report.contains("wrong-kind") && report.contains(units), "{report}");
    }
    let report = read(&json!({}), &json!({ "min": "2MB", "max": "1MB" })).unwrap_err();
    assert!(report.contains("the lower bound 2000000 is above the upper bound 1000000"), "{report}");
    // Only sizes in bytes have units.
    assert!(read(&json!({ "items": "5KB" }), &json!({})).unwrap_err().contains("wrong-kind"));
}
