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

/// The catalogue is that of the version and the language of a project. What is not certain is a warning.
#[test]
#[ignore = "needs PHP, see tests/external/php"]
fn the_catalogue_is_that_of_the_version_and_the_language() {
    const CHINESE: &str = "\\PhalApi\\SL('zh_cn');";
    let unknown = "the version of PhalApi is not known exactly: messages and `@method` are those of the last version 2";
    let other = "the language `en` is not always set: `catalogue` in `app.json` is that of `zh_cn`";
    for (version, code, catalogue, warning) in [
        ("2.0.0", CHINESE, "zh-2.0", ""),
        ("v2.1.2", CHINESE, "zh-2.0", ""),
        ("2.2.*", CHINESE, "zh-2.0", ""),
        ("~2.3.1", CHINESE, "zh-2.3", ""),
        ("=2.17.0", CHINESE, "zh", ""),
        ("^2.0", CHINESE, "zh", unknown),
        ("^2.7.3", CHINESE, "zh", unknown),
        ("~2.4", CHINESE, "zh", unknown),
        ("2.*", CHINESE, "zh", unknown),
        (">=2.0 <2.3", CHINESE, "zh", unknown),
        (">=1.3", CHINESE, "zh", unknown),
        ("^1.3 || ^2.0", CHINESE, "zh", unknown),
        ("dev-master", CHINESE, "zh", unknown),
        ("2.17.0", "", "2.x", ""),
        ("2.17.0", "\\PhalApi\\SL('ZH_CN');", "zh", ""),
        ("2.17.0", "\\PhalApi\\SL('zh_tw');", "2.x", "PhalApi has no texts in the language `zh_tw`"),
        ("2.17.0", "\\PhalApi\\SL('ja');", "2.x", "PhalApi has no texts in the language `ja`"),
        ("2.17.0", "SL('en'); SL('zh_cn');", "zh", ""),
        ("2.17.0", "SL('zh_cn'); \\PhalApi\\Translator::setLanguage('en');", "2.x", ""),
        ("2.17.0", "if ($x) SL('en'); SL('zh_cn');", "zh", ""),
        ("2.17.0", "SL('zh_cn'); if ($x) SL('en');", "zh", other),
        ("2.17.0", "SL('zh_cn'); if ($x) { echo \"${x}\"; SL('en'); }", "zh", other),
    ] {
        let folder = TempDir::new().unwrap();
        let files = [
            ("composer.json", format!("{{ \"require\": {{ \"phalapi/kernal\": \"{version}\" }} }}")),
            ("public/init.php", format!("<?php\n{code}\n")),
            (
                "src/app/Api/Site.php",
                "<?php namespace App\\Api; class Site extends \\PhalApi\\Api { function index() {} }".to_owned(),
            ),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text));
        write_files(&folder.path().join("old"), &BTreeMap::from(files));
        let result = run_program(folder.path(), &["new", "shop", "--from", "phalapi", "old", "--no-git"]);
        assert_eq!(result.exit_code, Some(0), "{version} {code}: {}", result.stderr);
        let app = std::fs::read_to_string(folder.path().join("shop/api/app.json")).unwrap();
        let app: serde_json::Value = serde_json::from_str(&app).unwrap();
        assert_eq!(app["catalogue"], catalogue, "{version} {code}: {}", result.stderr);
        let warnings: Vec<&str> =
            result.stderr.lines().filter(|line| line.contains("version of") || line.contains("language")).collect();
        assert_eq!(warnings.len(), usize::from(!warning.is_empty()), "{version} {code}: {warnings:?}");
        assert!(warnings.iter().all(|line| line.contains(warning)), "{version} {code}: {warnings:?}");
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
