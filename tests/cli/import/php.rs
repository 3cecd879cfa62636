//! Tests of imports that run PHP. `tests/external/php` runs them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use support::golden;
use tempfile::TempDir;

use super::super::run_program;
use super::{PROJECTS, ancestor, data, export_file, write_files};

/// Compares the recorded output of the export script with the output of PHP. If `UPDATE_GOLDEN` is `1`, records it.
#[test]
#[ignore = "needs PHP, see tests/external/php"]
fn phalapi_projects_are_exported_as_recorded() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-import/src/project/phalapi/export.php");
    let exported = |(project, from): &&(&str, &str)| *from == "phalapi" && ancestor(project) == *project;
    for (project, _) in PROJECTS.iter().filter(exported) {
        let output = Command::new("php").arg(&script).arg(data(&format!("ancestors/{project}"))).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        golden::compare(&export_file(project), &String::from_utf8(output.stdout).unwrap());
    }
}

/// A PHP file with a class that can be exported.
const CLASS: &str = "<?php class Api_User extends PhalApi_Api { function index() {} }";

#[test]
#[ignore = "needs PHP, see tests/external/php"]
fn php_files_that_cannot_be_loaded_are_reported() {
    for (code, exit_code, message) in [
        (CLASS, 0, ""),
        ("<?php echo 'text'; fwrite(STDERR, 'text');", 0, ""),
        (
            "<?php class Api_Other extends PhalApi_Api { function (",
            0,
            "warning: Api/Other.php:1: not carried over, because PHP failed: ",
        ),
        (
            "<?php\nthrow new Exception('no database');",
            0,
            "warning: Api/Other.php:2: not carried over, because PHP failed: no database",
        ),
        ("<?php exit(0);", 3, "Api/Other.php:1: PHP: this file, or a file that it loads, calls exit()"),
        ("<?php\nfinal class A {}\nclass Api_Other extends A {}", 3, "Api/Other.php:3: PHP: "),
    ] {
        let folder = TempDir::new().unwrap();
        let files = [("Api/Other.php", code), ("Api/User.php", CLASS)];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        write_files(&folder.path().join("old"), &BTreeMap::from(files));
        let result = run_program(folder.path(), &["new", "shop", "--from", "phalapi", "old", "--no-git"]);
        assert_eq!(result.exit_code, Some(exit_code), "{code}: {}", result.stderr);
        assert!(result.stderr.contains(message), "{code}: {}", result.stderr);
        assert_eq!(folder.path().join("shop").exists(), exit_code == 0, "{code}");
    }
}
