//! Runs many example calls in one language as a single program.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A language in which documents show example calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Language {
    Curl,
    JavaScript,
    Python,
}

impl Language {
    /// Returns the title that snippets of this language have.
    pub fn title(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
        }
    }
}

/// A PNG file with a picture of one pixel. Its bytes are not valid UTF-8.
const PNG_FILE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";

/// The character that is printed before each response.
const RESPONSE_SEPARATOR: char = '\u{1e}';

/// A Python program that runs the calls in `calls.json`.
const PYTHON_RUNNER: &str = r#"import json, urllib.error
for text in json.load(open("calls.json")):
    print("\x1e", end="")
    try:
        exec(text, {})
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode())
    except Exception as error:
        print(0, repr(error))
"#;

/// Runs the example calls in a folder, in which the files that they send are created. Returns the status and the body
/// of each response.
pub fn run_calls(language: Language, calls: &[String], folder: &Path) -> Vec<(u16, String)> {
    for number in ["", "1", "2"] {
        fs::write(folder.join(format!("file{number}.png")), PNG_FILE).unwrap();
        fs::write(folder.join(format!("file{number}.txt")), "some text").unwrap();
    }
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let mut command = match language {
        Language::Curl => {
            write(".curlrc", "silent\nshow-error\nwrite-out = \"\\n%{http_code}\"\n");
            let calls = calls.iter().map(|call| format!("printf '\\036'\n{call}\n"));
            write("calls.sh", &calls.collect::<String>());
            let mut sh = Command::new("sh");
            sh.arg("calls.sh").env("CURL_HOME", folder).env_remove("XDG_CONFIG_HOME");
            sh
        }
        Language::JavaScript => {
            let one = |call: &String| {
                format!(
                    "process.stdout.write(\"\\x1e\");\ntry {{\n{call}\n}} catch (error) {{ console.log(0, error); }}\n"
                )
            };
            write("calls.mjs", &calls.iter().map(one).collect::<String>());
            let mut node = Command::new("node");
            node.arg("calls.mjs");
            node
        }
        Language::Python => {
            write("calls.json", &serde_json::to_string(calls).unwrap());
            write("calls.py", PYTHON_RUNNER);
            let mut python = Command::new(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
            python.arg("calls.py");
            python
        }
    };
    let output = command.current_dir(folder).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let responses: Vec<_> =
        printed.split(RESPONSE_SEPARATOR).skip(1).map(|response| parse_response(language, response.trim())).collect();
    assert_eq!(responses.len(), calls.len(), "{}", String::from_utf8_lossy(&output.stderr));
    responses
}

/// Parses the printed status and body of a response.
fn parse_response(language: Language, response: &str) -> (u16, String) {
    let (status, body) = match language {
        Language::Curl => {
            let (body, status) = response.rsplit_once('\n').unwrap_or(("", response));
            (status, body)
        }
        Language::JavaScript | Language::Python => response.split_once(' ').unwrap_or((response, "")),
    };
    (status.parse().unwrap_or_else(|_| panic!("no status: {response}")), body.to_owned())
}
