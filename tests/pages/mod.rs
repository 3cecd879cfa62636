//! Tests the HTML pages and static files that the server itself serves. The Rust module `swagger` tests Swagger UI.

mod built_in;
mod connections;
mod forms;
mod precedence;
mod swagger;

use std::fs;
use std::path::Path;

use rulebook::Unbound;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::client::{Request, Response, TestServer, engine};

/// Returns a definition without services at the paths of the pages.
fn definition_beside_pages() -> Json {
    json!({ "/": { "article": { "GET": { "info": "Articles" } } } })
}

fn pages_server() -> TestServer {
    TestServer::echo(&[("site.json", definition_beside_pages())])
}

/// Starts a server that serves the static files of a folder.
fn server_with_files(folder: &Path) -> TestServer {
    TestServer::with_static(
        &engine(&[("site.json", definition_beside_pages())], |rulebook| rulebook.unbound(Unbound::Echo)),
        Some(folder),
    )
}

/// Creates a folder that contains a folder `static` with some files, and a secret file beside `static`.
fn folder_with_static_files() -> TempDir {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("static");
    fs::create_dir_all(own.join("more/inner")).unwrap();
    for (name, content) in [
        ("static/index.html", "<p>own index"),
        ("static/a b.txt", "a blank"),
        ("static/ü.css", "p {}"),
        ("static/data.bin", "0123456789"),
        ("static/empty.txt", ""),
        ("static/.hidden", "secret"),
        ("static/more/index.html", "<p>more"),
        ("static/more/page.svg", "<svg/>"),
        ("static/more/inner/deep.json", "{}"),
        ("secret.txt", "secret"),
        ("static-too/secret.txt", "secret"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn fetch(server: &TestServer, path: &str) -> Response {
    server.send(&Request::new("GET", path))
}

/// Returns the sources that a directive of the content security policy allows; `None` if the policy does not have the
/// directive.
fn policy_sources<'a>(response: &'a Response, what: &str) -> Option<Vec<&'a str>> {
    let policy = response.field("content-security-policy")?;
    let mut directives = policy.split(';').map(|directive| directive.split_whitespace().collect::<Vec<_>>());
    directives.find(|parts| parts[0] == what).map(|parts| parts[1..].to_vec())
}

/// Checks that the content security policy allows a page to use only resources of the server.
#[track_caller]
fn assert_policy(response: &Response) {
    assert_policy_with_styles(response, &[]);
}

/// Checks that the content security policy allows a page to use only resources of the server and these styles.
#[track_caller]
fn assert_policy_with_styles(response: &Response, styles: &[&str]) {
    assert_eq!(policy_sources(response, "default-src"), Some(vec!["'none'"]), "{}", response.head);
    for what in ["base-uri", "form-action", "frame-ancestors"] {
        assert_eq!(policy_sources(response, what), Some(vec!["'none'"]), "{}", response.head);
    }
    for what in ["script-src", "connect-src"] {
        assert_eq!(policy_sources(response, what), Some(vec!["'self'"]), "{}", response.head);
    }
    assert_eq!(policy_sources(response, "style-src"), Some([&["'self'"], styles].concat()), "{}", response.head);
    let policy = response.field("content-security-policy").unwrap();
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    assert_eq!(response.field("x-content-type-options"), Some("nosniff"), "{}", response.head);
    assert_eq!(response.head.matches("nosniff").count(), 1, "{}", response.head);
    assert_eq!(response.field("referrer-policy"), Some("no-referrer"), "{}", response.head);
    assert!(response.field("cache-control").is_some(), "{}", response.head);
}

#[test]
fn paths_without_a_trailing_slash_redirect_to_their_page() {
    for (server, own) in [
        (pages_server(), None),
        (server_with_files(&folder_with_static_files().path().join("static")), Some("/static/more")),
    ] {
        let cases = [("/docs", "/docs/"), ("/docs/swagger", "/docs/swagger/"), ("/static", "/static/")];
        let own = own.map(|own| (own, "/static/more/"));
        for (from, to) in cases.into_iter().chain(own) {
            for method in ["GET", "HEAD"] {
                let response = server.send(&Request::new(method, from));
                assert_eq!(response.status, 307, "{from}");
                let location = response.field("location").unwrap();
                assert!(!location.starts_with('/'), "{location} does not work behind a prefix");
                let base = url::Url::parse(&format!("http://x{from}")).unwrap();
                assert_eq!(base.join(location).unwrap().path(), to, "{from}: {location}");
                // Without an index file, `/static/` leads to the documentation.
                assert!([200, 307].contains(&fetch(&server, to).status), "{to}");
            }
        }
    }
}

#[test]
fn a_request_for_a_page_with_its_entity_tag_gets_304() {
    let folder = folder_with_static_files();
    let cases = [
        (pages_server(), "/docs/swagger/swagger-ui.css"),
        (pages_server(), "/docs/swagger/"),
        (pages_server(), "/docs/"),
        (server_with_files(&folder.path().join("static")), "/static/data.bin"),
    ];
    for (server, path) in cases {
        let first = fetch(&server, path);
        let tag = first.field("etag").unwrap();
        let second = server.send(&Request::new("GET", path).field("if-none-match", tag));
        assert_eq!((second.status, second.body.len()), (304, 0), "{path}");
        assert_eq!(second.field("etag"), Some(tag), "{path}");
        assert_eq!(second.field("cache-control"), first.field("cache-control"), "{path}");
        let other = server.send(&Request::new("GET", path).field("if-none-match", "\"other\""));
        assert_eq!((other.status, &other.body), (200, &first.body), "{path}");
    }
}

#[test]
fn a_head_request_for_a_page_gets_no_body() {
    let folder = folder_with_static_files();
    let cases = [
        (pages_server(), "/docs/swagger/"),
        (pages_server(), "/docs/"),
        (server_with_files(&folder.path().join("static")), "/data.bin"),
    ];
    for (server, path) in cases {
        let mut connection = server.connect();
        let head = connection.send(&Request::new("HEAD", path));
        let got = connection.send(&Request::new("GET", path));
        let fields = |response: &Response| {
            let of_its_own = |line: &&str| line.starts_with("date") || line.starts_with("x-request-id");
            let fields = response.head.lines().filter(|line| !of_its_own(line));
            fields.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(fields(&head), fields(&got), "{path}");
        assert!(!got.body.is_empty());
    }
}

#[test]
fn methods_other_than_get_and_head_are_refused_for_pages() {
    let folder = folder_with_static_files();
    let built_in =
        (pages_server(), vec!["/docs", "/docs/swagger/", "/docs/swagger/index.css", "/", "/static/", "/docs/docs.js"]);
    let own = (server_with_files(&folder.path().join("static")), vec!["/", "/static/data.bin", "/static/more"]);
    for (server, paths) in [built_in, own] {
        for path in paths {
            let mut connection = server.connect();
            let response = connection.send(&Request::new("POST", path).body("text/plain", "body"));
            response.assert_error(405, "");
            assert_eq!(response.field("allow"), Some("GET, HEAD, OPTIONS"), "{path}");
            if path != "/" {
                let response = connection.send(&Request::new("OPTIONS", path));
                assert_eq!((response.status, response.field("allow")), (204, Some("GET, HEAD, OPTIONS")), "{path}");
            }
        }
        server.send(&Request::new("POST", "/nowhere")).assert_error(404, "");
    }
}

#[test]
fn only_h5_html_may_run_scripts_of_other_servers_and_is_in_a_sandbox() {
    let folder = folder_with_static_files();
    for name in ["h5.html", "h5.htm", "more/h5.html", "index.html"] {
        std::fs::write(folder.path().join("static").join(name), "<p>a page").unwrap();
    }
    let server = server_with_files(&folder.path().join("static"));
    let policy = |path: &str| fetch(&server, path).field("content-security-policy").unwrap().to_owned();
    let own = policy("/index.html");
    let script = |policy: &str| policy.split("; ").find(|rule| rule.starts_with("script-src")).map(str::to_owned);
    for path in ["/h5.html", "/static/h5.html"] {
        let policy = policy(path);
        assert_eq!(script(&policy).as_deref(), Some("script-src 'self' http: https:"), "{path}");
        assert!(policy.split("; ").any(|rule| rule == "sandbox allow-scripts"), "{path}: {policy}");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("connect-src"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'none'"), "{path}: {policy}");
    }
    for path in ["/h5.htm", "/static/h5%2Ehtml", "/more/h5.html", "/static/more/h5.html", "/index.html"] {
        assert_eq!(policy(path), own, "{path}");
    }
    assert_eq!(script(&own).as_deref(), Some("script-src 'self'"));
}

#[test]
fn static_files_are_served_at_the_root_and_under_static() {
    let folder = folder_with_static_files();
    let server = server_with_files(&folder.path().join("static"));
    for (path, media_type, content) in [
        ("", "text/html; charset=utf-8", "<p>own index"),
        ("index.html", "text/html; charset=utf-8", "<p>own index"),
        ("a%20b.txt", "text/plain; charset=utf-8", "a blank"),
        ("%C3%BC.css", "text/css; charset=utf-8", "p {}"),
        ("data.bin", "application/octet-stream", "0123456789"),
        ("empty.txt", "text/plain; charset=utf-8", ""),
        ("more/", "text/html; charset=utf-8", "<p>more"),
        ("more/page.svg", "image/svg+xml", "<svg/>"),
        ("more/inner/deep.json", "application/json", "{}"),
    ] {
        for path in [format!("/{path}"), format!("/static/{path}")] {
            let response = fetch(&server, &path);
            assert_eq!((response.status, String::from_utf8_lossy(&response.body).as_ref()), (200, content), "{path}");
            assert_eq!(response.field("content-type"), Some(media_type), "{path}");
            assert_policy(&response);
        }
    }
    let part = server.send(&Request::new("GET", "/static/data.bin").field("range", "bytes=2-4"));
    assert_eq!((part.status, part.body.as_slice()), (206, &b"234"[..]), "{part:?}");
    assert_eq!(part.field("content-range"), Some("bytes 2-4/10"));
    let beyond = server.send(&Request::new("GET", "/static/data.bin").field("range", "bytes=20-"));
    assert_eq!(beyond.status, 416);
    for (path, range) in
        [("empty.txt", "bytes=-5"), ("empty.txt", "bytes=0-"), ("data.bin", "lines=1-2"), ("data.bin", "bytes=\u{fc}")]
    {
        let whole = server.send(&Request::new("GET", format!("/static/{path}")).field("range", range));
        assert_eq!((whole.status, whole.body), (200, fetch(&server, &format!("/{path}")).body), "{path} {range}");
    }
    let counted = String::from_utf8(fetch(&server, "/metrics").body).unwrap();
    let line = "rulebook_requests_total{method=\"-static\",status=\"416\",code=\"\"} 1";
    assert!(counted.contains(line), "{counted}");
    // A new file in the folder is served without a restart. With a static folder, built-in files are not served at the
    // root.
    fs::write(folder.path().join("static/late.txt"), "late").unwrap();
    assert_eq!(fetch(&server, "/late.txt").body, b"late");
    fetch(&server, "/index.js").assert_error(404, "");
}

#[test]
fn files_outside_of_the_static_folder_are_not_served() {
    let folder = folder_with_static_files();
    let server = server_with_files(&folder.path().join("static"));
    let secret = folder.path().join("secret.txt");
    #[cfg(unix)]
    {
        let link = |to: &Path, from: &str| std::os::unix::fs::symlink(to, folder.path().join(from)).unwrap();
        link(&secret, "static/link.txt");
        link(folder.path(), "static/up");
        link(&folder.path().join("static-too"), "static/too");
        link(&folder.path().join("static/data.bin"), "static/inside.bin");
        link(Path::new(".hidden"), "static/visible");
        assert_eq!(
            fetch(&server, "/static/inside.bin").status,
            200,
            "a link that stays inside is a file like any other"
        );
        std::os::unix::net::UnixListener::bind(folder.path().join("static/socket")).unwrap();
    }
    let absolute = secret.to_str().unwrap();
    let encoded = absolute.replace('/', "%2f");
    let paths = [
        "link.txt",
        "up/secret.txt",
        "too/secret.txt",
        "too/",
        "socket",
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        ".%2e/secret.txt",
        "more/../../secret.txt",
        "more/%2e%2e/%2e%2e/secret.txt",
        "..\\secret.txt",
        "%5c..%5csecret.txt",
        "../static-too/secret.txt",
        "..",
        "%2e%2e",
        "%2e%2e/",
        ".",
        "./",
        "./index.html",
        ".hidden",
        "visible",
        "%2ehidden",
        "more/.hidden",
        "more//page.svg",
        "//index.html",
        "data.bin/",
        "data.bin/x",
        "more/inner/",
        "index.html%00",
        "%00",
        "%ff",
        "C:/secret.txt",
        absolute,
        &encoded,
        &format!("/{absolute}"),
    ]
    .map(str::to_owned);
    let long = "x".repeat(300);
    for path in paths.iter().chain([&long]) {
        for path in [format!("/static/{path}"), format!("/{path}"), format!("/docs/swagger/{path}")] {
            let response = fetch(&server, &path);
            assert_ne!(response.body, b"secret", "{path}");
            if path != "//index.html" {
                assert!((400..500).contains(&response.status), "{path}: {response:?}");
            }
        }
    }
}
