//! The source files of rulebook's crates, which are copied into a new project.
//!
//! If this program was built from the repository, it cannot know whether its version of the crates has been published.
//! The projects that it creates therefore contain a copy of the crates, so that they can be built on any machine. If
//! this program was built from a package registry, it contains no source files.

use std::fs;
use std::io;
use std::path::Path;

/// Every source file: its path below `vendor/`, and its content. The list is empty if this program was built from a
/// package registry.
pub(super) const VENDORED_FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The `Cargo.toml` of the workspace that consists of the copied crates.
const WORKSPACE_MANIFEST: &str = include_str!(concat!(env!("OUT_DIR"), "/workspace.toml"));

/// Writes all source files and the manifest of their workspace to the folder `vendor`.
pub(super) fn write_files(vendor: &Path) -> io::Result<()> {
    fs::create_dir_all(vendor)?;
    fs::write(vendor.join("Cargo.toml"), WORKSPACE_MANIFEST)?;
    for (path, content) in VENDORED_FILES {
        let file = vendor.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, content)?;
    }
    Ok(())
}
