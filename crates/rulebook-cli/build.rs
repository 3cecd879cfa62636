//! Embeds the source files of rulebook's crates in the program, if it is built from the repository. The command
//! `rulebook new` copies these files into new projects.
//!
//! A program that is built from a package registry does not contain the source files: the projects that it creates
//! depend on the published crates.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files and folders in the folder of a crate that are needed to build the crate.
const BUILD_PATHS: [&str; 6] = ["Cargo.toml", "build.rs", "sdk", "src", "static", "templates"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let crates = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..").canonicalize()?;
    let (mut files, mut manifest) = (Vec::new(), String::new());
    // In a package registry, the folder beside this one has another name.
    if env::var_os("CARGO_FEATURE_NEW").is_some() && crates.join("rulebook").is_dir() {
        let names = crate_names(&crates)?;
        for (name, part) in names.iter().flat_map(|name| BUILD_PATHS.map(|part| (name, part))) {
            collect_source_files(&crates.join(name).join(part), &mut files)?;
        }
        let workspace = crates.join("Cargo.toml");
        let workspace = if workspace.is_file() { workspace } else { crates.join("../Cargo.toml") };
        println!("cargo::rerun-if-changed={}", workspace.display());
        manifest = workspace_manifest(&fs::read_to_string(workspace)?, &names);
    }
    fs::write(out.join("workspace.toml"), manifest)?;
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&crates).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let source = if name.ends_with("/Cargo.toml") {
            let kept = out.join(name.replace('/', "-"));
            fs::write(&kept, manifest_without_tests(&fs::read_to_string(file)?))?;
            kept
        } else {
            file.clone()
        };
        // Writing to a `String` cannot fail, so that the result is ignored.
        let _ = writeln!(list, "({name:?}, include_bytes!({source:?})),");
    }
    list.push_str("]\n");
    fs::write(out.join("sources.rs"), list)
}

/// Returns the names of the crates whose source files are copied into a new project: all crates beside this one.
fn crate_names(crates: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(crates)?.collect::<Result<Vec<_>, _>>()?;
    let entries = entries.iter().filter(|entry| entry.path().join("Cargo.toml").is_file());
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Adds the file at `path` to `files`. If `path` is a folder, adds all files in it and in its subfolders,
/// except what Python has compiled.
fn collect_source_files(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        println!("cargo::rerun-if-changed={}", path.display());
        files.push(path.to_owned());
    } else if path.is_dir() && !path.ends_with("__pycache__") {
        println!("cargo::rerun-if-changed={}", path.display());
        let mut entries =
            fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        entries.sort();
        for entry in entries {
            collect_source_files(&entry, files)?;
        }
    }
    Ok(())
}

/// Returns the manifest of a workspace that contains only the copied crates. `text` is the manifest of the repository;
/// the result has its `[workspace.…]` sections, because the manifests of the crates inherit fields from them.
fn workspace_manifest(text: &str, crates: &[String]) -> String {
    let kept = toml_sections(text)
        .filter(|(name, _)| name.starts_with("workspace."))
        .map(|(_, section)| section.replace("path = \"crates/", "path = \""));
    let lines = kept.collect::<String>();
    let lines =
        lines.lines().filter(|line| !line.starts_with("support ")).fold(String::new(), |text, line| text + line + "\n");
    format!("[workspace]\nmembers = {crates:?}\nresolver = \"3\"\n\n{lines}")
}

/// Returns the manifest of a crate without the sections that only its tests and benchmarks need.
fn manifest_without_tests(text: &str) -> String {
    let is_test_section = |name: &str| name == "dev-dependencies" || name == "[test]" || name == "[bench]";
    toml_sections(text).filter(|(name, _)| !is_test_section(name)).map(|(_, section)| section).collect()
}

/// Returns the name and the text of each section of a TOML file. The text includes the line with the name.
fn toml_sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let starts: Vec<usize> =
        text.match_indices('[').map(|(at, _)| at).filter(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n').collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| {
        let section = &text[start..end];
        let line = section.lines().next().unwrap_or("");
        (line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).unwrap_or(line), section)
    })
}
