//! Names that would lead elsewhere: nothing outside of the store is read or written.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{CONTENT, FILENAME, GIF, Peer, encoded, on_their_way, parts, tree};
use crate::client::Request;

/// What is in a file that nobody must read.
const SECRET: &str = "the secret of the canary";

/// A server whose definition allows every name, a canary beside its store, and what is around the store.
struct Watched {
    peer: Peer,
    around: BTreeMap<String, Vec<u8>>,
}

impl Watched {
    fn start() -> Self {
        let mut peer = Peer::prepared(|definition| {
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
            fs::write(data.join(file), SECRET).unwrap();
        }
        peer.serve();
        let around = around(&peer);
        Self { peer, around }
    }

    /// Asserts that nothing has been written outside of the store.
    #[track_caller]
    fn assert_untouched(&self, after: &str) {
        assert_eq!(around(&self.peer), self.around, "{after}");
    }
}

/// All that is beside the store, but what the server writes down of itself.
fn around(peer: &Peer) -> BTreeMap<String, Vec<u8>> {
    let mut around = tree(peer.folder());
    around.retain(|name, _| {
        !["data/files/", "said", "told", "data/keys.used", "data/demo"].iter().any(|own| name.starts_with(own))
    });
    around
}

/// What is secret in an answer.
fn tells(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains(SECRET) || text.contains("root:") || text.contains("\"hash\"")
}

/// Names of the corpus that the store's own tests have: the text, and the name that it is, if it is one.
fn corpus() -> Vec<(Vec<u8>, Option<String>)> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../data/store/names.json")).unwrap();
    let text = |case: &Value, key: &str| case[key].as_str().map(str::to_owned);
    let mut corpus: Vec<_> =
        cases.iter().map(|case| (text(case, "text").unwrap().into_bytes(), text(case, "is"))).collect();
    let long = |part: &str| part.repeat(4096 / part.len()).into_bytes();
    corpus.extend([long("a"), long("../"), long("a/"), long("封"), long("./")].map(|text| (text, None)));
    // Dots and slashes that are no UTF-8: longer than need be, cut off, of a half.
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

/// The query in which a name stands, every byte escaped, so often.
fn escaped(name: &[u8], times: usize) -> String {
    let once: String = name.iter().map(|byte| format!("%{byte:02x}")).collect();
    (1..times).fold(once, |text, _| text.replace('%', "%25"))
}

#[test]
fn no_text_of_the_corpus_leads_out_of_the_store() {
    let watched = Watched::start();
    let peer = &watched.peer;
    let (mut asking, mut sending) = (peer.connect(), peer.connect());
    let mut kept = 0;
    for (text, name) in corpus() {
        let shown = String::from_utf8_lossy(&text).chars().take(60).collect::<String>();
        let is_name = name.is_some();
        for times in 1..=3 {
            let target = format!("/iapi/file?filename={}", escaped(&text, times));
            let answer = asking.ask(&peer.request("GET", &target));
            // Nothing is there yet, and nothing is decoded twice.
            let expected = match (is_name, times) {
                (true, 1) => 404,
                _ if target.len() > 8000 => 414,
                _ => 400,
            };
            assert_eq!(answer.status, expected, "{shown:?} escaped {times} times: {answer:?}");
            assert!(!tells(&answer.body), "{shown:?}: {answer:?}");
        }
        let upload = peer.request("POST", "/iapi/file").multipart(&[(FILENAME, &text), (CONTENT, GIF)]);
        let answer = sending.ask(&upload);
        let files = peer.request("POST", "/iapi/files").multipart(&[(FILENAME, &text), (CONTENT, GIF)]);
        let status = sending.ask(&files).status;
        match &name {
            None => assert_eq!((answer.status, status), (400, 400), "{shown:?}: {answer:?}"),
            Some(name) => {
                assert_eq!((answer.status, status), (204, 204), "{shown:?}: {answer:?}");
                assert_eq!(fs::read(peer.store().join(name)).unwrap(), GIF, "{shown:?}");
                assert_eq!(asking.ask(&peer.asking("GET", name)).body, GIF, "{shown:?}");
                // Names may get in each other's way, such as `a` and `a/b`.
                fs::remove_file(peer.store().join(name)).unwrap();
                kept += 1;
            }
        }
        assert!(peer.tree().keys().all(|left| left.ends_with('/')), "{shown:?}: {:?}", peer.tree().keys());
    }
    assert!(kept > 10, "{kept}");
    watched.assert_untouched("the corpus");
    peer.assert_on_their_way(0);
}

#[test]
fn no_spelling_of_the_request_leads_out_of_the_store() {
    let watched = Watched::start();
    let peer = &watched.peer;
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
        format!("/iapi/file?filename={}", encoded(&format!("{store}/public/a"))),
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
        let answer = peer.send(&peer.request("GET", &target));
        assert!([400, 404].contains(&answer.status), "{target}: {answer:?}");
        assert!(!tells(&answer.body), "{target}: {answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("canary of"), "{target}: {answer:?}");
    }
    // What the file itself is called does not count, nor how its part is described.
    for disposition in [
        "name=\"content\"; filename=\"../../canary/file\"",
        "name=\"content\"; filename=\"/etc/passwd\"",
        "name=\"content\"; filename=\"..\\\\canary\\\\file\"",
        "name=\"content\"; filename*=UTF-8''..%2f..%2fa",
    ] {
        let form = [(disposition, GIF), (FILENAME, b"public/it.gif".as_slice())];
        let answer = peer.send(&peer.request("POST", "/iapi/file").multipart(&form));
        assert!([204, 400].contains(&answer.status), "{disposition}: {answer:?}");
    }
    // Fields of the query do not replace those of the form.
    let form = parts(&[("public/it.gif", GIF)]);
    let answer = peer.send(&peer.request("POST", "/iapi/file?filename=../canary/file").multipart(&form));
    assert!([204, 400].contains(&answer.status), "{answer:?}");
    watched.assert_untouched("the spellings");
}

#[test]
fn links_in_the_store_are_not_followed() {
    let watched = Watched::start();
    let peer = &watched.peer;
    assert_eq!(peer.upload("in/file.gif", GIF).status, 204);
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
    let before = peer.tree();
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
        let answer = peer.download(name);
        assert_eq!(answer.status, 404, "{name}: {answer:?}");
        let answer = peer.upload(name, GIF);
        assert_eq!(answer.status, 409, "{name}: {answer:?}");
        let answer = peer.send(&peer.sending_all(&[("in/file.gif", b"GIF89a-new"), (name, GIF)]));
        assert_eq!(answer.status, 409, "{name}: {answer:?}");
        assert_eq!(peer.tree(), before, "{name}");
    }
    watched.assert_untouched("the links");
    peer.assert_on_their_way(0);
    peer.assert_healthy();
}

/// Says that it is over when this is dropped.
struct Ending<'o>(&'o AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A folder and a link that leads out change places, over and over, while names in the folder are asked for and sent.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_becomes_a_link_meanwhile_leads_nowhere() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    const ENOUGH: usize = 50;

    let watched = Watched::start();
    let peer = &watched.peer;
    assert_eq!(peer.upload("it/file", GIF).status, 204);
    symlink(peer.folder().join("data/canary"), peer.store().join("link")).unwrap();
    let over = AtomicBool::new(false);
    // What was read, what was not, what was written, what was not.
    let mut seen = [0; 4];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let [it, link] = ["it", "link"].map(|name| peer.store().join(name));
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, &it, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        // Also where something is not as it should be.
        let _over = Ending(&over);
        let end = Instant::now() + Duration::from_secs(5);
        let (mut asking, mut sending) = (peer.connect(), peer.connect());
        while Instant::now() < end && seen.iter().any(|count| *count < ENOUGH) {
            let answer = asking.ask(&peer.asking("GET", "it/file"));
            assert!([200, 404].contains(&answer.status), "{answer:?}");
            assert!(answer.status != 200 || answer.body == GIF, "{answer:?}");
            seen[usize::from(answer.status != 200)] += 1;
            let answer = sending.ask(&peer.sending("it/new.gif", GIF));
            assert!([204, 409].contains(&answer.status), "{answer:?}");
            seen[2 + usize::from(answer.status != 204)] += 1;
        }
    });
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    watched.assert_untouched("the race");
    assert!(on_their_way(&peer.store()).is_empty());
    peer.assert_healthy();
}

#[test]
fn what_is_no_file_is_missing_and_not_waited_for() {
    let watched = Watched::start();
    let peer = &watched.peer;
    assert_eq!(peer.upload("folder/file", GIF).status, 204);
    let made = std::process::Command::new("mkfifo").arg(peer.store().join("pipe")).status().unwrap();
    assert!(made.success());
    for name in ["pipe", "folder", "folder/file/below", "nothing", "folder/nothing"] {
        assert_eq!(peer.download(name).status, 404, "{name}");
    }
    for name in ["pipe", "folder", "folder/file/below"] {
        assert_eq!(peer.upload(name, GIF).status, 409, "{name}");
    }
    // Letters of another case are other letters, here too where the file system knows no difference.
    for name in ["FOLDER/file", "folder/FILE", "Folder/File"] {
        assert_eq!(peer.download(name).status, 404, "{name}");
    }
    assert_eq!(peer.send(&Request::new("GET", "/iapi/file?filename=folder/file")).status, 401);
    watched.assert_untouched("what is no file");
}
