//! The sources of the crates of rulebook, which are copied into a new project.
//!
//! A program that was built from the repository cannot know whether its crates have been published in this version. Its
//! new projects therefore contain a copy of the crates, and can be built on any machine. A program that was built from
//! a registry contains no copy.

use std::fs;
use std::io;
use std::path::Path;

/// Every file, by its path below `vendor/`; empty if the program was built from a registry.
pub(super) const SOURCES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The manifest of the workspace of the copied crates.
const WORKSPACE: &str = include_str!(concat!(env!("OUT_DIR"), "/workspace.toml"));

/// Writes the sources to a folder.
///
/// # Errors
/// Fails if a file or folder cannot be written.
pub(super) fn write(vendor: &Path) -> io::Result<()> {
    fs::create_dir_all(vendor)?;
    fs::write(vendor.join("Cargo.toml"), WORKSPACE)?;
    for (path, content) in SOURCES {
        let file = vendor.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, content)?;
    }
    Ok(())
}
