//! Checks that every dependency has a licence that `deny.toml` allows.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

#[test]
fn every_dependency_has_a_licence_that_deny_toml_allows() {
    let allowed = allowed_licences();
    let mut errors = Vec::new();
    let packages = dependency_packages();
    assert!(packages.len() > 50, "cargo tells of {} packages only", packages.len());
    for package in packages {
        let name = format!("{} {}", package["name"], package["version"]);
        let Some(license) = package["license"].as_str() else {
            errors.push(format!("{name} names no licence"));
            continue;
        };
        match Expression::parse_mode(license, ParseMode::LAX) {
            Ok(expression) if expression.evaluate(|one| allowed.contains(&one.to_string())) => {}
            Ok(_) => errors.push(format!("{name}: {license} is not allowed by deny.toml")),
            Err(error) => errors.push(format!("{name}: {license} cannot be read: {}", error.reason)),
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// Returns the licences in the list `allow` of `deny.toml`.
fn allowed_licences() -> Vec<String> {
    let text = fs::read_to_string(repository_root().join("deny.toml")).unwrap();
    let (_, list) = text.split_once("allow = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the metadata of all packages that a build for this machine uses, as `cargo metadata` prints it.
fn dependency_packages() -> Vec<Value> {
    let version = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = Command::new(env!("CARGO"))
        .current_dir(repository_root())
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let mut metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("{other} where packages should be"),
    }
}

fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
