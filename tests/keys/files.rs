//! Tests of keys that may access only stored files whose names match patterns.

use serde_json::json;

use super::{add_key, run_keys_command};
use crate::client::{Request, Response};
use crate::demo::DemoFolder;

/// The shortest content that is recognized as a PNG file.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn download_request(key: &str, name: &str) -> Request {
    Request::new("GET", format!("/iapi/file?filename={name}")).field("authorization", format_args!("Bearer {key}"))
}

fn upload_request(key: &str, name: &str) -> Request {
    let request = Request::new("POST", "/iapi/file").field("authorization", format_args!("Bearer {key}"));
    let content = ("name=\"content\"; filename=\"1.png\"", PICTURE);
    request.multipart(&[content, ("name=\"filename\"", name.as_bytes())])
}

#[track_caller]
fn assert_not_allowed(response: &Response, name: &str) {
    let message = "the key does not allow this name";
    let body = json!({ "status": "error", "message": message, "filename": name });
    assert_eq!((response.status, response.json()), (403, body), "{response:?}");
}

#[test]
fn a_key_with_patterns_may_access_only_matching_files() {
    let place = DemoFolder::new();
    let key = |files: &[&str]| {
        let options = ["--name", "a", "--scope", "iapi"].into_iter();
        let options: Vec<_> = options.chain(files.iter().flat_map(|pattern| ["--files", pattern])).collect();
        add_key(place.folder.path(), &options)
    };
    let (any, one, several) = (key(&[]), key(&["public/a/*"]), key(&["public/a/**", "public/*.{png,jpg}", "cache/**"]));
    let server = place.serve();
    // Each case has a file name, and whether the key without patterns, the key with one pattern and the key with
    // several patterns may access the file.
    let cases = [
        ("public/a/1.png", [true, true, true]),
        ("./public/a/1.png", [true, true, true]),
        ("public/a/b/1.png", [true, false, true]),
        ("public/1.png", [true, false, true]),
        ("public/1.PNG", [true, false, false]),
        ("public/b/1.png", [true, false, false]),
    ];
    for (name, allowed) in cases {
        for (key, allowed) in [&any, &one, &several].into_iter().zip(allowed) {
            let (posted, got) = (server.send(&upload_request(key, name)), server.send(&download_request(key, name)));
            if allowed {
                assert_eq!((posted.status, got.status, &*got.body), (204, 200, PICTURE), "{name}: {posted:?} {got:?}");
            } else {
                let normal = name.trim_start_matches("./");
                assert_not_allowed(&posted, normal);
                assert_not_allowed(&got, normal);
            }
        }
    }
    // A pattern of a key does not allow names that the definition rejects.
    let refused = server.send(&upload_request(&several, "cache/1.png"));
    assert_eq!((refused.status, &refused.json()["errors"][0]["parameter"]), (400, &json!("filename")));
    // The response does not reveal whether a file exists if the key must not access it.
    assert_not_allowed(&server.send(&download_request(&one, "public/nothing.png")), "public/nothing.png");
    assert_eq!(server.send(&download_request(&any, "public/nothing.png")).status, 400);
    // A request with several files is rejected if the key must not access one of them.
    let files = Request::new("POST", "/iapi/files").field("authorization", format_args!("Bearer {one}"));
    let content = ("name=\"content\"; filename=\"1.png\"", PICTURE);
    let named = |name: &'static str| ("name=\"filename\"", name.as_bytes());
    let response = server.send(&files.multipart(&[content, content, named("public/a/8.png"), named("public/9.png")]));
    assert_not_allowed(&response, "public/9.png");
    assert_eq!(server.send(&download_request(&one, "public/a/8.png")).status, 400, "none was kept");
}

#[test]
fn an_invalid_pattern_is_reported_and_no_key_is_created() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("api")).unwrap();
    std::fs::write(folder.path().join("api/it.json"), "{}").unwrap();
    for (pattern, why) in [
        ("", "a name cannot have an empty part"),
        ("/public/a", "a name cannot have an empty part"),
        ("public//a", "a name cannot have an empty part"),
        ("../a", "a part of a name cannot begin with a dot"),
        ("public/.git/**", "a part of a name cannot begin with a dot"),
        ("public/[a", "unclosed character class"),
    ] {
        let result =
            run_keys_command(folder.path(), &["add", "--name", "a", "--files", "public/**", "--files", pattern]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{pattern}: {result:?}");
        assert!(
            result.stderr.contains(why) && result.stderr.contains("--files <PATTERN>"),
            "{pattern}: {}",
            result.stderr
        );
        assert!(!folder.path().join("data/keys.json").exists());
    }
    let key = add_key(folder.path(), &["--name", "a", "--files", "public/**", "--files", "{a,b}/*"]);
    let listed = run_keys_command(folder.path(), &["list"]).stdout;
    assert!(listed.contains("public/** {a,b}/*"), "{listed}");
    assert!(!listed.contains(&key));
}
