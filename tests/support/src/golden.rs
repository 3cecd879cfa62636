//! Compares generated text with golden files, which contain the expected text.

use std::fs;
use std::path::Path;

/// Panics if `generated` differs from the golden file at `path`, which is relative to the package. If the environment
/// variable `UPDATE_GOLDEN` is 1, writes the file instead.
pub fn compare(path: &Path, generated: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, generated).expect("golden files can be written");
        return;
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    if stored == generated {
        return;
    }
    let same = stored.lines().zip(generated.lines()).take_while(|(stored, generated)| stored == generated).count();
    let from_there = |text: &str| text.lines().skip(same).take(20).collect::<Vec<_>>().join("\n");
    panic!(
        "{} differs from line {}; UPDATE_GOLDEN=1 writes it anew\n--- kept\n{}\n--- made\n{}",
        path.display(),
        same + 1,
        from_there(&stored),
        from_there(generated),
    );
}
