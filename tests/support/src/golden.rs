//! Golden files: generated text is compared with a stored file.

use std::fs;
use std::path::Path;

/// Compares `generated` with the file at `path`, relative to the package. With
/// `UPDATE_GOLDEN=1` the file is written instead.
pub fn compare(path: &Path, made: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, made).expect("golden files can be written");
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    if kept == made {
        return;
    }
    let same = kept.lines().zip(made.lines()).take_while(|(kept, made)| kept == made).count();
    let from_there = |text: &str| text.lines().skip(same).take(20).collect::<Vec<_>>().join("\n");
    panic!(
        "{} differs from line {}; UPDATE_GOLDEN=1 writes it anew\n--- kept\n{}\n--- made\n{}",
        path.display(),
        same + 1,
        from_there(&kept),
        from_there(made),
    );
}
