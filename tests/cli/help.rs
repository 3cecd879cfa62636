//! Tests of `--help`, `--version`, `rulebook explain`, and invalid usage of the command line.

use std::fs;
use std::path::Path;

use rulebook_model::diagnostic::DiagnosticCode;
use rulebook_model::types::Types;

use super::{run_program, shop_folder};
use support::golden;

/// The beginning of the page docs/commands.md, before the help of the first command.
const PAGE_START: &str = "\
# Commands

This is the output of `--help` for each command of `rulebook` and of every program that is built with `rulebook_cli`. \
The settings are also listed in the [reference](reference.md#settings). The commands `send` and `fetch` require the feature \
`client`, the command `import` the feature `import`, the command `test` the feature `test`, the command `token` \
the feature `auth`, and the commands `completions` and `man` the feature `shell`.
";

#[test]
fn the_page_of_commands_is_the_help_of_every_command() {
    let folder = shop_folder();
    let mut text = PAGE_START.to_owned();
    let mut waiting = vec![String::new()];
    while let Some(command) = waiting.pop() {
        let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let result = run_program(folder.path(), &arguments);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        let title = format!("rulebook {command}");
        text += &format!("\n## {}\n\n```text\n{}\n```\n", title.trim(), result.stdout.trim());
        let listed =
            result.stdout.split("Commands:\n").nth(1).unwrap_or_default().lines().take_while(|line| !line.is_empty());
        // Only the first line of each command is indented by two spaces.
        let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let below =
            names.filter(|name| !["", "help"].contains(name)).map(|name| format!("{command} {name}").trim().to_owned());
        waiting.extend(below.collect::<Vec<_>>().into_iter().rev());
    }
    // The tests run the program of the demo. The page describes the program `rulebook`, which has the same commands.
    let text = text.replace("article-site", "rulebook");
    golden::compare(Path::new("docs/commands.md"), &text);
    for command in ["serve", "keys rotate", "new"] {
        assert!(text.contains(&format!("\n## rulebook {command}\n")), "{command}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let result = run_program(shop_folder().path(), &["--version"]);
    assert_eq!((result.exit_code, result.stdout), (Some(0), format!("rulebook {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn every_diagnostic_code_is_explained() {
    let folder = shop_folder();
    let listed = run_program(folder.path(), &["explain"]);
    let names: Vec<_> = DiagnosticCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!((listed.exit_code, listed.stdout.lines().collect::<Vec<_>>()), (Some(0), names));
    for code in DiagnosticCode::ALL {
        let result = run_program(folder.path(), &["explain", code.name()]);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""));
        let (explanation, types) = result.stdout.split_once("\nThe built-in types:\n").unwrap_or((&result.stdout, ""));
        assert_eq!(explanation.trim_end(), code.explanation());
        let listed: Vec<_> = types.lines().filter_map(|line| line.split_whitespace().next()).collect();
        let known = Types::builtin();
        let known: Vec<_> =
            known.iter().map(rulebook::types::Type::name).filter(|_| *code == DiagnosticCode::UnknownType).collect();
        assert_eq!(listed, known, "{code}");
        assert!(result.stdout.lines().count() > 2, "{}: {}", code.name(), result.stdout);
    }
    let result = run_program(folder.path(), &["explain", "unknwon-type"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""));
    assert_eq!(result.stderr, "error: there is no diagnostic code `unknwon-type`; did you mean `unknown-type`?\n");
}

#[test]
fn invalid_usage_has_exit_code_2() {
    let folder = shop_folder();
    let cases: &[&[&str]] = &[
        &["serv"],
        &["--unknown"],
        &["check", "a", "b"],
        &["check", "--format", "xml"],
        &["--unbound", "maybe", "routes"],
        &["--workers", "0", "routes"],
        &["--workers", "513", "routes"],
        &["--workers", "many", "routes"],
        &["--api", "", "routes"],
        &["call"],
        &["call", "article.get", "no-value"],
        &["call", "article.get", "--json", "[]"],
        &["call", "article.get", "--json", "{"],
        &["openapi", "--output"],
        &["schema", "trees"],
        &["new"],
        &["new", "a", "b"],
        &["keys"],
        &["keys", "add"],
        &["keys", "add", "--name", ""],
        &["keys", "add", "--name", "x", "--scope", "a,,b"],
        &["keys", "add", "--name", "x", "--scope", "nothing"],
        &["call", "article.get", "unknown=1"],
        &["--bind", "8090", "routes"],
        &["--trusted-proxies", "proxy", "routes"],
        &["completions"],
        &["keys", "add", "--name", "x", "--files", ""],
        &["keys", "add", "--name", "x", "--requests", "5"],
        &["keys", "add", "--name", "x", "--per", "hour"],
        &["keys", "add", "--name", "x", "--requests", "0", "--per", "hour"],
        &["keys", "add", "--name", "x", "--requests", "4294967296", "--per", "hour"],
        &["keys", "add", "--name", "x", "--requests", "5", "--per", "week"],
        &["keys", "add", "--name", "x", "--expires", "2001-01-01"],
        &["keys", "add", "--name", "x", "--expires", "-1d"],
        &["keys", "add", "--name", "x", "--expires", "2999-01-01T12:00"],
        &["keys", "add", "--name", "x", "--expires", "soon"],
        &["keys", "revoke"],
        &["keys", "rotate"],
        &["send", "a.jpg"],
        &["send", "--to", "http://host"],
        &["send", "--to", "host", "a.jpg"],
        &["send", "--to", "ftp://host", "a.jpg"],
        &["send", "--to", "http://ada:secret@host", "a.jpg"],
        &["send", "--to", "http://host", "--as", "", "a.jpg"],
        &["send", "--to", "http://host", "--as", "name", "a.jpg", "b.jpg"],
        &["send", "--to", "http://host", "a/.."],
        &["send", "--to", "http://host", "--if-absent", "--if-match", "x", "a.jpg"],
        &["send", "--to", "http://host", "--key", "rb_", "a.jpg"],
        &["fetch", "a.jpg"],
        &["fetch", "--from", "http://host"],
        &["fetch", "--from", "http://host", ""],
        &["fetch", "--from", "http://host", "public/.."],
        &["fetch", "--from", "http://host", "public/"],
        &["fetch", "--from", "http://host", "a", "b"],
        &["fetch", "--from", "http://host", "--timeout", "0", "a"],
        &["keys", "rotate", "00000000", "--grace", "-1h"],
        &["keys", "rotate", "00000000", "--grace", "24"],
    ];
    for arguments in cases {
        let result = run_program(folder.path(), arguments);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{arguments:?}: {result:?}");
        assert!(!result.stderr.is_empty(), "{arguments:?}");
    }
    assert!(!folder.path().join("data").exists(), "no key was created");
}

/// Returns the commands that a text names: the words after `rulebook` in code, up to the first flag or placeholder.
fn named_commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for (_, rest) in text.match_indices("rulebook ").map(|(at, word)| (at, &text[at + word.len()..])) {
        let line = rest.split(['`', '\n']).next().unwrap_or_default();
        let words = line
            .split_whitespace()
            .take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        let words: Vec<_> = words.take_while(|word| !word.starts_with('-')).map(str::to_owned).collect();
        commands.extend(Some(words).filter(|words| !words.is_empty()));
    }
    commands
}

#[test]
fn every_command_that_a_help_text_or_an_explanation_names_exists() {
    let folder = shop_folder();
    let commands = fs::read_to_string("docs/commands.md").unwrap();
    let helps = commands.split("```text\n").skip(1).filter_map(|part| part.split("\n```").next());
    // The names after `Usage:` and in the list of commands are those of the program itself.
    let explanations = DiagnosticCode::ALL.iter().map(|code| code.explanation());
    let in_code = |text: &str| {
        text.split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| code.starts_with("rulebook "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let examples = |text: &str| {
        text.lines().map(str::trim).filter(|line| line.starts_with("rulebook ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut named: Vec<_> =
        helps.chain(explanations).flat_map(|text| [in_code(text), examples(text)].concat()).collect();
    named.sort();
    named.dedup();
    assert!(named.len() > 5, "{named:?}");
    for text in &named {
        let [words] = &named_commands(text)[..] else { panic!("{text}") };
        // A command may be followed by an argument, such as a name or an id.
        let exists = (1..=words.len()).rev().any(|count| {
            let arguments: Vec<_> = words[..count].iter().map(String::as_str).chain(["--help"]).collect();
            run_program(folder.path(), &arguments).exit_code == Some(0)
        });
        assert!(exists, "`{text}` is not a command");
        let flags = text.split_whitespace().filter(|word| word.starts_with("--"));
        let first: Vec<_> =
            words.iter().take(if words[0] == "keys" { 2 } else { 1 }).map(String::as_str).chain(["--help"]).collect();
        let help = run_program(folder.path(), &first).stdout;
        for flag in flags {
            let flag = flag.trim_end_matches([',', '.', ';', ')']);
            assert!(help.contains(flag), "`{text}`: {flag} is not a flag of this command");
        }
    }
}
