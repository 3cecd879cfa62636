//! Tests of `rulebook completions` and `rulebook man`.

use std::fs;
use std::process::Command;

use super::{run_program, shop_folder};

#[test]
fn completions_contain_every_command_and_flag() {
    let folder = shop_folder();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let result = run_program(folder.path(), &["completions", shell]);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["article-site", "serve", "keys", "rotate", "trusted-proxies", "completions"] {
            assert!(result.stdout.contains(word), "{word} for {shell}");
        }
    }
    assert_eq!(run_program(folder.path(), &["completions", "tcsh"]).exit_code, Some(2));
}

#[test]
fn bash_completes_commands_and_flags() {
    let folder = shop_folder();
    let script = run_program(folder.path(), &["completions", "bash"]).stdout;
    fs::write(folder.path().join("completions.bash"), script).unwrap();
    let complete = |words: &str| {
        let test = format!(
            "source completions.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _article_site article-site \"${{COMP_WORDS[COMP_CWORD]}}\" x; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &test]).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("article-site rou"), "routes");
    assert_eq!(complete("article-site keys rot"), "rotate");
    assert!(complete("article-site keys add --sc").starts_with("--scope"));
}

#[test]
fn manual_pages_describe_the_program_and_each_command() {
    let folder = shop_folder();
    let page = run_program(folder.path(), &["man"]);
    assert_eq!((page.exit_code, page.stderr.as_str()), (Some(0), ""));
    for words in [".TH article", "\\-\\-trusted\\-proxies", "RULEBOOK_TRUSTED_PROXIES", "Exit codes"] {
        assert!(page.stdout.contains(words), "{words}: {}", page.stdout);
    }
    let result = run_program(folder.path(), &["man", "--output", "share/man1"]);
    assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), "", ""));
    for file in ["article-site.1", "article-site-serve.1", "article-site-keys-add.1"] {
        let page = fs::read_to_string(folder.path().join("share/man1").join(file)).unwrap();
        assert!(page.contains(".SH"), "{file}");
    }
}
