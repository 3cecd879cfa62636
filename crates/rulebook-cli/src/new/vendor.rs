//! The sources of rulebook's crates, which a new project gets a copy of.
//!
//! A program that is built from the repository cannot know whether the crates of its version are published, so its
//! projects bring them along and build on any machine. A program that is built from a registry has no copy.

use std::fs;
use std::io;
use std::path::Path;

/// Every file, by its path below `vendor/`; empty if the program was built from a registry.
pub(super) const SOURCES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The manifest of the workspace that the copies are members of.
const WORKSPACE: &str = include_str!(concat!(env!("OUT_DIR"), "/workspace.toml"));

/// Writes the sources below a folder.
///
/// # Errors
/// A file or folder cannot be written.
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
