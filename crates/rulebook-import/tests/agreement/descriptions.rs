//! Compares descriptions in files with their imported definitions.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::compare::{Comparison, compare};

/// The environment variable with folders of further descriptions, with colons between them.
const FOLDERS: &str = "RULEBOOK_DESCRIPTIONS";

/// Returns the descriptions in a folder and in its folders.
fn descriptions_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        let is_description = entry.extension().is_some_and(|extension| extension == "json" || extension == "yaml");
        if entry.is_dir() {
            files.extend(descriptions_in(&entry));
        } else if is_description {
            files.push(entry);
        }
    }
    files
}

fn compare_files(files: &[PathBuf]) -> Comparison {
    let mut all = Comparison::default();
    let mut count = 0;
    for file in files {
        let name = file.to_str().unwrap();
        let text = fs::read_to_string(file).unwrap();
        let parsed: Option<Json> = match name.ends_with(".json") {
            true => serde_json::from_str(&text).ok(),
            false => serde_saphyr::from_str(&text).ok(),
        };
        if let Some(compared) =
            parsed.filter(|root| root.get("openapi").is_some()).and_then(|root| compare(name, &text, &root))
        {
            count += 1;
            all.add(compared);
        }
    }
    eprintln!("{count} descriptions, {} schemas, {} values, {} skipped", all.schemas, all.values, all.skipped);
    assert!(all.differences.is_empty(), "{} differences:\n{}", all.differences.len(), all.differences.join("\n"));
    all
}

#[test]
fn losses_name_all_differences_of_the_recorded_descriptions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/openapi_import");
    let files: Vec<PathBuf> = ["github.json", "kubernetes.json", "shop.yaml", "stripe.json", "twilio.json"]
        .iter()
        .map(|name| folder.join(name))
        .collect();
    let all = compare_files(&files);
    assert!(all.schemas > 100, "{} schemas", all.schemas);
}

#[test]
#[ignore = "the descriptions are in npm packages"]
fn losses_name_all_differences_of_published_descriptions() {
    let folders = std::env::var(FOLDERS).unwrap();
    let files: Vec<PathBuf> = folders.split(':').flat_map(|folder| descriptions_in(Path::new(folder))).collect();
    assert!(!files.is_empty(), "{folders}");
    compare_files(&files);
}
