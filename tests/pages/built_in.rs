//! Tests the files that are built into the program, and where `/` leads.

use std::fs;

use super::{fetch, folder_with_static_files, pages_server, server_with_files};

/// The built-in files that the pages below `/docs/` load.
const DOCS_FILES: [&str; 17] = [
    "credential.js",
    "docs.css",
    "docs.js",
    "element.js",
    "find.js",
    "form.js",
    "highlight.js",
    "response.js",
    "rulebook.d.ts",
    "rulebook.js",
    "snippets-javascript.js",
    "snippets.js",
    "swagger.css",
    "swagger.js",
    "theme.css",
    "theme.js",
    "tree.js",
];

#[test]
fn the_root_leads_to_the_documentation_unless_the_static_folder_has_an_index_file() {
    let folder = folder_with_static_files();
    fs::remove_file(folder.path().join("static/index.html")).unwrap();
    for server in [pages_server(), server_with_files(&folder.path().join("static"))] {
        for (path, target) in
            [("/", "docs/"), ("/index.html", "docs/"), ("/static/", "../docs/"), ("/static/index.html", "../docs/")]
        {
            let response = fetch(&server, path);
            assert_eq!((response.status, response.field("location")), (307, Some(target)), "{path}");
        }
        let page = fetch(&server, "/docs/");
        assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    }
}

#[test]
fn the_built_in_files_are_served_at_the_root_and_under_static() {
    let server = pages_server();
    for (path, media_type) in [
        ("form.js", "text/javascript; charset=utf-8"),
        ("rulebook.js", "text/javascript; charset=utf-8"),
        ("rulebook.d.ts", "text/plain; charset=utf-8"),
        ("theme.css", "text/css; charset=utf-8"),
        ("docs.css", "text/css; charset=utf-8"),
    ] {
        let (here, there) = (fetch(&server, &format!("/{path}")), fetch(&server, &format!("/static/{path}")));
        assert_eq!((here.status, there.status), (200, 200), "{path}");
        assert_eq!(here.body, there.body);
        assert_eq!(there.field("content-type"), Some(media_type));
        assert_eq!(there.field("x-content-type-options"), Some("nosniff"));
        // Browsers ignore the policies of scripts and style sheets, which would be a third of a small file.
        for name in ["content-security-policy", "referrer-policy"] {
            assert_eq!(there.field(name), None, "{path}");
        }
    }
    for path in ["/static/index.htm", "/static/index.html/", "/static//", "/static/%2e", "/nowhere", "/index.html/x"] {
        fetch(&server, path).assert_error(404, "");
    }
}

#[test]
fn the_javascript_client_is_served_below_docs_with_any_static_folder() {
    let folder = folder_with_static_files();
    for server in [pages_server(), server_with_files(&folder.path().join("static"))] {
        for name in DOCS_FILES {
            let response = fetch(&server, &format!("/docs/{name}"));
            assert_eq!(response.status, 200, "{name}");
            assert_eq!(response.field("cache-control"), Some("no-cache"), "{name}");
        }
        fetch(&server, "/docs/index.js").assert_error(404, "");
    }
}

#[test]
fn the_pages_have_no_inline_scripts_and_load_nothing_from_other_hosts() {
    let server = pages_server();
    for path in ["/docs/", "/docs/methods/article.get"] {
        let page = String::from_utf8(fetch(&server, path).body).unwrap();
        for forbidden in ["<style", " style=", "javascript:", " onclick", " onload", "src=\"//", "src=\"http"] {
            assert!(!page.contains(forbidden), "{forbidden} in {path}");
        }
        for script in page.split("<script").skip(1) {
            assert!(script.contains("\"></script>") && script.contains("src=\""), "{script}");
        }
    }
    for name in DOCS_FILES.iter().filter(|name| name.ends_with(".js")) {
        let script = String::from_utf8(fetch(&server, &format!("/docs/{name}")).body).unwrap();
        for forbidden in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"]
        {
            let outside = script.lines().find(|line| line.contains(forbidden) && !line.trim_start().starts_with('*'));
            assert_eq!(outside, None, "{forbidden} in {name}");
        }
    }
}
