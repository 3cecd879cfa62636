//! Tests that secrets, such as API keys, appear neither in the log, nor in responses, nor in files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{CONTENT_DISPOSITION, FILENAME_DISPOSITION, GIF_START, InternalApiServer, form_encoded};
use crate::client::Request;
use crate::keys;
use crate::server_process::program;

/// A server that logs as much as possible, and what is sent to it and received from it.
struct VerboseServer {
    peer: InternalApiServer,
    api_keys: Vec<String>,
    /// The texts of all responses so far.
    responses: String,
}

impl VerboseServer {
    fn start() -> Self {
        let mut peer = InternalApiServer::without_start(|_| ());
        let add = |arguments: &[&str]| keys::add_key(peer.folder(), arguments);
        let spent = add(&["--name", "spent", "--scope", "iapi", "--requests", "1", "--per", "day"]);
        let other = add(&["--name", "other", "--scope", "reader"]);
        let revoked = add(&["--name", "revoked", "--scope", "iapi"]);
        let id = revoked.split('_').nth(1).unwrap();
        assert!(program(peer.folder()).args(["keys", "revoke", id]).output().unwrap().status.success());
        let mistyped = format!("{}0{}", &other[..40], &other[41..]);
        let api_keys = vec![peer.api_key.clone(), spent, other, revoked, mistyped];
        let mut command = program(peer.folder());
        command.args(["serve", "--log", "trace"]);
        peer.start_command(command);
        Self { peer, api_keys, responses: String::new() }
    }

    /// Sends a request. If `is_checked` is `true`, the response must not contain the API key. `is_checked` is `false`
    /// for requests that contain the key in a parameter or in a file name, because responses may quote it.
    fn fetch(&mut self, request: &Request, is_checked: bool) {
        let response = self.peer.send(request);
        if is_checked {
            self.responses += &format!("{}{}\n", response.head, String::from_utf8_lossy(&response.body));
        }
    }

    /// Sends an API key in the header field for credentials, and in all other parts of a request.
    fn send_everywhere(&mut self, key: &str) {
        let bearer =
            |method, target: &str| Request::new(method, target).field("authorization", format_args!("Bearer {key}"));
        for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE"] {
            for target in
                ["/iapi/file", "/iapi/file?filename=public/none", "/iapi/files", "/iapi/cache", "/iapi", "/nowhere"]
            {
                self.fetch(&bearer(method, target), method != "HEAD");
            }
        }
        let form = [(CONTENT_DISPOSITION, GIF_START), (FILENAME_DISPOSITION, &b"public/a.gif"[..])];
        for parts in
            [&form[..], &form[..1], &form[1..], &[(CONTENT_DISPOSITION, b"text"), (FILENAME_DISPOSITION, b"../a")]]
        {
            self.fetch(&bearer("POST", "/iapi/file").multipart(parts), true);
            self.fetch(&bearer("POST", "/iapi/files").multipart(parts), true);
        }
        self.fetch(&bearer("POST", "/iapi/file").body("multipart/form-data; boundary=XX", "torn"), true);
        self.fetch(&bearer("POST", "/iapi/file").body("application/json", "{"), true);
        self.fetch(&bearer("GET", "/iapi/file?filename=public/a.gif").field("range", "bytes=9000-"), true);
        let get = |target: &str| Request::new("GET", target);
        for scheme in ["Basic ", "Token ", "bearer ", "", "Bearer,"] {
            self.fetch(
                &get("/iapi/file?filename=public/a").field("authorization", format_args!("{scheme}{key}")),
                true,
            );
        }
        for field in ["cookie", "x-api-key", "proxy-authorization", "if-none-match", "range", "accept", "referer"] {
            self.fetch(&get("/iapi/file?filename=public/a").field(field, key), true);
            self.fetch(&bearer("GET", "/iapi/file?filename=public/a").field(field, key), true);
        }
        let again = format!("{key}x");
        self.fetch(
            &bearer("GET", "/iapi/file?filename=public/a").field("authorization", format_args!("Bearer {again}")),
            true,
        );
        // The response may quote a key that the client sent in a parameter.
        for target in
            [format!("?key={key}"), format!("?filename={key}"), format!("?access_token={key}&filename=public/a")]
        {
            self.fetch(&get(&format!("/iapi/file{target}")), false);
            self.fetch(&bearer("GET", &format!("/iapi/file{target}")), false);
            self.fetch(&bearer("POST", &format!("/iapi/files{target}")), false);
        }
        for (content, name) in
            [(GIF_START, key.as_bytes()), (key.as_bytes(), b"public/a.gif"), (key.as_bytes(), key.as_bytes())]
        {
            self.fetch(
                &bearer("POST", "/iapi/file")
                    .multipart(&[(CONTENT_DISPOSITION, content), (FILENAME_DISPOSITION, name)]),
                false,
            );
        }
        let disposition = format!("name=\"content\"; filename=\"{key}\"");
        self.fetch(
            &bearer("POST", "/iapi/file")
                .multipart(&[(&disposition, b"text"), (FILENAME_DISPOSITION, b"public/a.gif")]),
            false,
        );
        self.fetch(&bearer("POST", "/iapi/file").body("application/json", format!("{{\"filename\":\"{key}\"")), false);
        let form = format!("filename={}&content=1", form_encoded(key));
        self.fetch(&bearer("POST", "/iapi/file").body("application/x-www-form-urlencoded", form), false);
    }
}

#[test]
fn verbose_logs_and_responses_contain_no_secrets() {
    let mut server = VerboseServer::start();
    for key in server.api_keys.clone() {
        server.send_everywhere(&key);
    }
    // The last requests lead to errors of the disk, and fetch documents.
    let away = server.peer.folder().join("away");
    fs::rename(server.peer.store().join("public"), &away).unwrap();
    fs::write(server.peer.store().join("public"), "no folder").unwrap();
    let key = server.api_keys[0].clone();
    server.send_everywhere(&key);
    for target in ["/metrics", "/openapi.json", "/readyz", "/healthz", "/docs/swagger/", "/llms.txt", "/"] {
        server.fetch(&Request::new("GET", target), true);
    }
    for target in ["*", "/", "/iapi", "/iapi/file", "/iapi/files"] {
        server.fetch(&Request::new("OPTIONS", target), true);
    }
    for status in [" 200 ", " 204 ", " 400 ", " 401 ", " 403 ", " 404 ", " 405 ", " 409 ", " 429 "] {
        assert!(server.responses.contains(status), "no response has the status {status}");
    }
    let VerboseServer { mut peer, api_keys, responses } = server;
    let log = peer.process.as_ref().unwrap().log();
    let output = fs::read_to_string(peer.folder().join("stdout.txt")).unwrap();
    assert!(log.lines().count() > 1_000, "the log is verbose");
    peer.kill();
    let data = peer.folder().join("data");
    let stored = ["keys.json", "keys.used.json"].map(|file| fs::read_to_string(data.join(file)).unwrap_or_default());
    let hashes: Value = serde_json::from_str(&stored[0]).unwrap();
    let hashes: Vec<_> = hashes["keys"].as_array().unwrap().iter().map(|key| key["hash"].as_str().unwrap()).collect();
    let pepper = fs::read(data.join("pepper")).unwrap();
    let peppers = [hex::encode(&pepper), String::from_utf8_lossy(&pepper).trim().to_owned()];
    let secrets: Vec<_> = api_keys.iter().map(|key| key.split('_').nth(2).unwrap()).collect();
    // Neither the first nor the last characters of a secret may appear.
    let parts = secrets.iter().flat_map(|secret| [&secret[..26], &secret[30..54]]);
    for part in parts.chain(hashes).chain(peppers.iter().map(String::as_str)) {
        for (place, text) in
            [("responses", &responses), ("log", &log), ("output", &output), ("keys.used.json", &stored[1])]
        {
            let line = text.lines().find(|line| line.contains(part));
            assert_eq!(line, None, "{part} appears in the {place}");
        }
    }
    for secret in secrets {
        assert!(!stored[0].contains(&secret[..26]) && !stored[0].contains(&secret[30..54]), "the key is stored");
    }
}

/// Returns the first part of a text that could be a complete API key.
fn find_api_key(text: &str) -> Option<&str> {
    text.match_indices("rb_").map(|(at, _)| &text[at..]).find_map(|rest| {
        let end = rest.bytes().skip(3).position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')?;
        let word = &rest[..end + 3];
        let (id, secret) = word[3..].split_once('_')?;
        (id.len() == 8 && secret.len() >= 54).then_some(word)
    })
}

#[test]
fn no_file_of_the_repository_contains_an_api_key() {
    assert!(find_api_key(&format!("a rb_0123abcd_{}, b", "x".repeat(60))).is_some(), "the search finds keys");
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = ["api", "docs", "schema", "tests", "scripts", "static"].map(|name| top.join(name)).into();
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("node_modules") {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                assert_eq!(find_api_key(&text), None, "{}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 100, "{read}");
}
