//! Tests file names that could lead outside of the store (the folder of stored files): the server reads and writes no
//! file outside of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    CONTENT_DISPOSITION, FILENAME_DISPOSITION, GIF_START, InternalApiServer, folder_tree, form_encoded, staged_files,
    upload_parts,
};
use crate::client::Request;

/// The content of files outside of the store, which no response may contain.
const SECRET_CONTENT: &str = "the secret of the canary";

/// A server whose definition allows every file name, and files with a secret content outside of its store.
struct ServerWithSecret {
    peer: InternalApiServer,
    files_outside: BTreeMap<String, Vec<u8>>,
}

impl ServerWithSecret {
    fn start() -> Self {
        let mut peer = InternalApiServer::without_start(|definition| {
            let services = &mut definition["/"]["iapi"]["/"];
            for method in ["GET", "POST"] {
                let parameters = services["file"][method]["in"].as_object_mut().unwrap();
                for (key, parameter) in parameters {
                    if key.ends_with("filename") {
                        parameter["range"] = json!(["**"]);
                    }
                }
            }
            services["files"]["POST"]["in"]["filename"]["type"] = json!("array<filename(**)>");
        });
        let data = peer.folder().join("data");
        fs::create_dir_all(data.join("canary")).unwrap();
        for file in ["canary/file", "a", "a.gif", "passwd", "canary/a.gif"] {
            fs::write(data.join(file), SECRET_CONTENT).unwrap();
        }
        peer.start_process();
        let files_outside = files_outside(&peer);
        Self { peer, files_outside }
    }

    /// Asserts that the files outside of the store have not changed.
    #[track_caller]
    fn assert_outside_unchanged(&self, after: &str) {
        assert_eq!(files_outside(&self.peer), self.files_outside, "{after}");
    }
}

/// Returns all files outside of the store, except the files that the server itself writes there.
fn files_outside(peer: &InternalApiServer) -> BTreeMap<String, Vec<u8>> {
    let mut files_outside = folder_tree(peer.folder());
    files_outside.retain(|name, _| {
        !["data/files/", "stdout.txt", "stderr.txt", "data/keys.used", "data/demo"]
            .iter()
            .any(|own| name.starts_with(own))
    });
    files_outside
}

/// Returns `true` if the body of a response contains a secret: of the files beside the store, of the system, or of the
/// key file.
fn contains_secret_content(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains(SECRET_CONTENT) || text.contains("root:") || text.contains("\"hash\"")
}

/// Returns texts that could be harmful as file names. Each text has the name that it is parsed to, or `None` if it is
/// not a valid name. The tests of the store use the same texts.
fn harmful_names() -> Vec<(Vec<u8>, Option<String>)> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../data/store/names.json")).unwrap();
    let text = |case: &Value, key: &str| case[key].as_str().map(str::to_owned);
    let mut corpus: Vec<_> =
        cases.iter().map(|case| (text(case, "text").unwrap().into_bytes(), text(case, "is"))).collect();
    let long = |part: &str| part.repeat(4096 / part.len()).into_bytes();
    corpus.extend([long("a"), long("../"), long("a/"), long("封"), long("./")].map(|text| (text, None)));
    // Invalid UTF-8 in the place of dots and slashes: overlong encodings, a truncated sequence, and a surrogate.
    let broken: [&[u8]; 8] = [
        b"\xc0\xae\xc0\xae/a",
        b"..\xc0\xafa",
        b"\xe0\x80\xae\xe0\x80\xae/a",
        b"..\xe0\x80\xafa",
        b"\xf0\x80\x80\xae./a",
        b"\xc1\x9ca",
        b"a\xff",
        b"\xed\xa0\x80",
    ];
    corpus.extend(broken.map(|text| (text.to_vec(), None)));
    corpus
}

/// Percent-encodes every byte of a name. The result is encoded again until it has been encoded this number of times.
fn percent_encoded(name: &[u8], times: usize) -> String {
    let once: String = name.iter().map(|byte| format!("%{byte:02x}")).collect();
    (1..times).fold(once, |text, _| text.replace('%', "%25"))
}

#[test]
fn no_harmful_name_leads_outside_of_the_store() {
    let server = ServerWithSecret::start();
    let peer = &server.peer;
    let (mut asking, mut sending) = (peer.connect(), peer.connect());
    let mut stored = 0;
    for (text, name) in harmful_names() {
        let shown = String::from_utf8_lossy(&text).chars().take(60).collect::<String>();
        let is_name = name.is_some();
        for times in 1..=3 {
            let target = format!("/iapi/file?filename={}", percent_encoded(&text, times));
            let response = asking.send(&peer.request("GET", &target));
            // The first request for a name gets 404, because no file with that name exists yet. A name that is encoded
            // twice is invalid, because names are decoded only once.
            let expected = match (is_name, times) {
                (true, 1) => 404,
                _ if target.len() > 8000 => 414,
                _ => 400,
            };
            assert_eq!(response.status, expected, "{shown:?} escaped {times} times: {response:?}");
            assert!(!contains_secret_content(&response.body), "{shown:?}: {response:?}");
        }
        let upload = peer
            .request("POST", "/iapi/file")
            .multipart(&[(FILENAME_DISPOSITION, &text), (CONTENT_DISPOSITION, GIF_START)]);
        let response = sending.send(&upload);
        let files = peer
            .request("POST", "/iapi/files")
            .multipart(&[(FILENAME_DISPOSITION, &text), (CONTENT_DISPOSITION, GIF_START)]);
        let status = sending.send(&files).status;
        match &name {
            None => assert_eq!((response.status, status), (400, 400), "{shown:?}: {response:?}"),
            Some(name) => {
                assert_eq!((response.status, status), (204, 204), "{shown:?}: {response:?}");
                assert_eq!(fs::read(peer.store().join(name)).unwrap(), GIF_START, "{shown:?}");
                assert_eq!(asking.send(&peer.download_request("GET", name)).body, GIF_START, "{shown:?}");
                // Some names exclude each other, such as `a` and `a/b`, so that each file is removed before the next
                // upload.
                fs::remove_file(peer.store().join(name)).unwrap();
                stored += 1;
            }
        }
        assert!(
            peer.stored_tree().keys().all(|left| left.ends_with('/')),
            "{shown:?}: {:?}",
            peer.stored_tree().keys()
        );
    }
    assert!(stored > 10, "{stored}");
    server.assert_outside_unchanged("the corpus");
    peer.assert_staged(0);
}

#[test]
fn no_form_of_a_request_leads_outside_of_the_store() {
    let server = ServerWithSecret::start();
    let peer = &server.peer;
    let store = peer.store().display().to_string();
    let targets = [
        "/iapi/file?filename=../canary/file".to_owned(),
        "/iapi/file?filename=..%2fcanary%2ffile".to_owned(),
        "/iapi/file?filename=..%252fcanary%252ffile".to_owned(),
        "/iapi/file?filename=public/..%2f..%2f..%2fkeys.json".to_owned(),
        "/iapi/file?filename=%2e%2e/%2e%2e/pepper".to_owned(),
        "/iapi/file?filename=..%5ccanary%5cfile".to_owned(),
        "/iapi/file?filename=..%c0%afcanary%c0%affile".to_owned(),
        "/iapi/file?filename=%ef%bc%8e%ef%bc%8e%ef%bc%8fcanary%ef%bc%8ffile".to_owned(),
        "/iapi/file?filename=..%e2%88%95canary".to_owned(),
        "/iapi/file?filename=../canary/file%00.gif".to_owned(),
        "/iapi/file?filename=/etc/passwd".to_owned(),
        "/iapi/file?filename=file:///etc/passwd".to_owned(),
        "/iapi/file?filename=/proc/self/environ".to_owned(),
        format!("/iapi/file?filename={store}/../a"),
        format!("/iapi/file?filename={}", form_encoded(&format!("{store}/public/a"))),
        "/iapi/file?filename=.staging/turn".to_owned(),
        "/iapi/file?filename=.STAGING/turn".to_owned(),
        "/iapi/file?filename=public/a&filename=../a".to_owned(),
        "/iapi/file?filename%5b%5d=../a".to_owned(),
        "/iapi/file/../../data/a".to_owned(),
        "/iapi/%2e%2e/%2e%2e/data/a?filename=a".to_owned(),
        "/static/../data/a".to_owned(),
        "/static/..%2fdata%2fa".to_owned(),
    ];
    for target in targets {
        let response = peer.send(&peer.request("GET", &target));
        assert!([400, 404].contains(&response.status), "{target}: {response:?}");
        assert!(!contains_secret_content(&response.body), "{target}: {response:?}");
        assert!(!String::from_utf8_lossy(&response.body).contains("canary of"), "{target}: {response:?}");
    }
    // The server ignores the file name in `Content-Disposition`, and the other parameters of this field.
    for disposition in [
        "name=\"content\"; filename=\"../../canary/file\"",
        "name=\"content\"; filename=\"/etc/passwd\"",
        "name=\"content\"; filename=\"..\\\\canary\\\\file\"",
        "name=\"content\"; filename*=UTF-8''..%2f..%2fa",
    ] {
        let form = [(disposition, GIF_START), (FILENAME_DISPOSITION, b"public/it.gif".as_slice())];
        let response = peer.send(&peer.request("POST", "/iapi/file").multipart(&form));
        assert!([204, 400].contains(&response.status), "{disposition}: {response:?}");
    }
    // Parameters in the query do not replace the fields of the form.
    let form = upload_parts(&[("public/it.gif", GIF_START)]);
    let response = peer.send(&peer.request("POST", "/iapi/file?filename=../canary/file").multipart(&form));
    assert!([204, 400].contains(&response.status), "{response:?}");
    server.assert_outside_unchanged("the spellings");
}

#[test]
fn symbolic_links_in_the_store_are_not_followed() {
    let server = ServerWithSecret::start();
    let peer = &server.peer;
    assert_eq!(peer.upload("in/file.gif", GIF_START).status, 204);
    let data = peer.folder().join("data");
    for (link, target) in [
        ("out", data.join("canary")),
        ("up", "..".into()),
        ("here", ".".into()),
        ("inside", "in".into()),
        ("etc", "/etc".into()),
        ("loop", "loop".into()),
        ("one", "two".into()),
        ("two", "one".into()),
        ("leaf", data.join("canary/file")),
        ("gone", data.join("canary/not-there")),
        ("in/out", data.join("canary")),
        ("null", "/dev/null".into()),
        ("proc", "/proc/self".into()),
    ] {
        symlink(target, peer.store().join(link)).unwrap();
    }
    let before = peer.stored_tree();
    for name in [
        "out/file",
        "out/a.gif",
        "up/a",
        "up/keys.json",
        "here/in/file.gif",
        "inside/file.gif",
        "etc/passwd",
        "loop",
        "loop/a",
        "one/a",
        "two",
        "leaf",
        "gone",
        "in/out/file",
        "null",
        "proc/environ",
        "out/new/folder/a",
        "up/new.gif",
        "here/new.gif",
        "inside/new.gif",
    ] {
        let response = peer.download(name);
        assert_eq!(response.status, 404, "{name}: {response:?}");
        let response = peer.upload(name, GIF_START);
        assert_eq!(response.status, 409, "{name}: {response:?}");
        let response = peer.send(&peer.upload_all_request(&[("in/file.gif", b"GIF89a-new"), (name, GIF_START)]));
        assert_eq!(response.status, 409, "{name}: {response:?}");
        assert_eq!(peer.stored_tree(), before, "{name}");
    }
    server.assert_outside_unchanged("the links");
    peer.assert_staged(0);
    peer.assert_healthy();
}

/// Sets the flag to `true` when this value is dropped.
struct SetOnDrop<'o>(&'o AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A thread exchanges a folder and a symbolic link to a folder outside of the store again and again, while files in
/// this folder are downloaded and uploaded.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_replaced_by_a_link_during_requests_leads_to_no_file_outside() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    const MIN_COUNT: usize = 50;

    let server = ServerWithSecret::start();
    let peer = &server.peer;
    assert_eq!(peer.upload("it/file", GIF_START).status, 204);
    symlink(peer.folder().join("data/canary"), peer.store().join("link")).unwrap();
    let over = AtomicBool::new(false);
    // The numbers of successful downloads, failed downloads, successful uploads and failed uploads.
    let mut seen = [0; 4];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let [it, link] = ["it", "link"].map(|name| peer.store().join(name));
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, &it, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        // The other thread also ends if an assertion fails, because the flag is set when this value is dropped.
        let _over = SetOnDrop(&over);
        let end = Instant::now() + Duration::from_secs(5);
        let (mut asking, mut sending) = (peer.connect(), peer.connect());
        while Instant::now() < end && seen.iter().any(|count| *count < MIN_COUNT) {
            let response = asking.send(&peer.download_request("GET", "it/file"));
            assert!([200, 404].contains(&response.status), "{response:?}");
            assert!(response.status != 200 || response.body == GIF_START, "{response:?}");
            seen[usize::from(response.status != 200)] += 1;
            let response = sending.send(&peer.upload_request("it/new.gif", GIF_START));
            assert!([204, 409].contains(&response.status), "{response:?}");
            seen[2 + usize::from(response.status != 204)] += 1;
        }
    });
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    server.assert_outside_unchanged("the race");
    assert!(staged_files(&peer.store()).is_empty());
    peer.assert_healthy();
}

#[test]
fn requests_for_pipes_and_folders_get_404_without_blocking() {
    let server = ServerWithSecret::start();
    let peer = &server.peer;
    assert_eq!(peer.upload("folder/file", GIF_START).status, 204);
    let made = std::process::Command::new("mkfifo").arg(peer.store().join("pipe")).status().unwrap();
    assert!(made.success());
    for name in ["pipe", "folder", "folder/file/below", "nothing", "folder/nothing"] {
        assert_eq!(peer.download(name).status, 404, "{name}");
    }
    for name in ["pipe", "folder", "folder/file/below"] {
        assert_eq!(peer.upload(name, GIF_START).status, 409, "{name}");
    }
    // Names are case-sensitive, even if the file system is not.
    for name in ["FOLDER/file", "folder/FILE", "Folder/File"] {
        assert_eq!(peer.download(name).status, 404, "{name}");
    }
    assert_eq!(peer.send(&Request::new("GET", "/iapi/file?filename=folder/file")).status, 401);
    server.assert_outside_unchanged("pipes and folders");
}
