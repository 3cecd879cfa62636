//! Runs many example calls in one language as a single program.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A language in which documents show example calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Language {
    Curl,
    Client,
    JavaScript,
    Python,
    Php,
    Go,
}

impl Language {
    /// Returns the title that snippets of this language have.
    pub fn title(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Client => "rulebook.js",
            Self::JavaScript => "fetch",
            Self::Python => "Python",
            Self::Php => "PHP",
            Self::Go => "Go",
        }
    }

    /// Returns whether calls print responses that they have parsed, in which JavaScript has rounded large integers. The
    /// calls in other languages print responses as they have received them.
    pub fn parses_responses(self) -> bool {
        self == Self::Client
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

/// A Node program that runs the modules `call0.js`, `call1.js`, …
const CLIENT_RUNNER: &str = r#"
import { ApiError } from "./rulebook.js";
for (let n = 0; n < Number(process.argv[2]); n++) {
  process.stdout.write("\x1e");
  try {
    await import(`./call${n}.js`);
  } catch (error) {
    console.log(error instanceof ApiError ? error.status : 0, String(error));
  }
}
"#;

/// Returns a call with `rulebook.js` as a module that prints the status of a success and the outputs. The client
/// returns no status, so that the status of every success is 200.
fn client_call(call: &str) -> String {
    let (import, rest) = call.split_once(" from \"").unwrap();
    let (_, rest) = rest.split_once("\";").unwrap();
    let import = format!("{import} from \"./rulebook.js\";");
    let printed = "console.log(200, JSON.stringify(outputs, (_, v) => typeof v === \"bigint\" ? String(v) : v));";
    let rest = rest.replace("console.log(outputs);", printed);
    import + &rest.replace("console.log(filename, await response.blob());", "console.log(200, await response.text());")
}

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
            // Small systems do not have the command.
            let uuidgen = "uuidgen() { od -An -N16 -tx1 /dev/urandom | tr -d ' '; }\n";
            write("calls.sh", &(uuidgen.to_owned() + &calls.collect::<String>()));
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
        Language::Client => {
            let client = Path::new("crates/rulebook/static/rulebook.js");
            fs::copy(client, folder.join("rulebook.js")).unwrap();
            write("package.json", r#"{ "type": "module" }"#);
            for (number, call) in calls.iter().enumerate() {
                write(&format!("call{number}.js"), &client_call(call));
            }
            write("calls.js", CLIENT_RUNNER);
            let mut node = Command::new("node");
            node.args(["calls.js", &calls.len().to_string()]);
            node
        }
        Language::Php => {
            let mut script = String::new();
            for (number, call) in calls.iter().enumerate() {
                write(&format!("call{number}.php"), call);
                script.push_str(&format!("printf '\\036'\nphp call{number}.php\n"));
            }
            write("calls.sh", &script);
            let mut sh = Command::new("sh");
            sh.arg("calls.sh");
            sh
        }
        Language::Go => {
            write("go.mod", "module calls\n\ngo 1.16\n");
            let mut script = "go build -o programs/ ./...\n".to_owned();
            for (number, call) in calls.iter().enumerate() {
                fs::create_dir(folder.join(format!("call{number}"))).unwrap();
                write(&format!("call{number}/main.go"), call);
                script.push_str(&format!("printf '\\036'\nprograms/call{number}\n"));
            }
            fs::create_dir(folder.join("programs")).unwrap();
            write("calls.sh", &script);
            let mut sh = Command::new("sh");
            sh.arg("calls.sh");
            sh
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
        _ => response.split_once(' ').unwrap_or((response, "")),
    };
    (status.parse().unwrap_or_else(|_| panic!("no status: {response}")), body.to_owned())
}
