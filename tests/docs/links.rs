//! Every link of every page leads to a page, and every page can be reached through links alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use url::Url;

use super::{get, text};
use crate::client::{TestServer, engine};

/// Names that browsers, proxies or encoders could change.
const ODD_NAMES: [&str; 22] = [
    ".",
    "..",
    "...",
    ".md",
    "md",
    "x",
    "x.md",
    "index",
    "index.md",
    "größe",
    "a/b",
    "a%2Fb",
    "%41",
    "A",
    "~",
    "~41",
    "a+b",
    "?",
    "#x",
    "a&b=c;d",
    "\\",
    "\u{202E}x\"<'",
];

/// Returns the links of a page to this server.
fn links(page: &str, is_markdown: bool) -> Vec<String> {
    let marks: &[&str] = if is_markdown { &["]("] } else { &[" href=\"", " src=\"", " action=\""] };
    let end = if is_markdown { ')' } else { '"' };
    let behind = marks.iter().flat_map(|mark| page.split(mark).skip(1));
    let links = behind.map(|behind| behind.split(end).next().unwrap().to_owned());
    links.filter(|link| !["data:", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme))).collect()
}

/// Follows all links from the start page of each format, and returns the pages by their paths.
#[track_caller]
fn crawl(server: &TestServer) -> BTreeMap<String, String> {
    let mut open = vec!["/docs/".to_owned(), "/llms.txt".to_owned()];
    let mut seen = BTreeSet::new();
    let mut pages = BTreeMap::new();
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let response = get(server, &path);
        assert_eq!(response.status, 200, "{path}");
        let media_type = response.field("content-type").unwrap();
        let is_markdown = media_type.starts_with("text/markdown") || path == "/llms.txt";
        let is_page = is_markdown || media_type.starts_with("text/html") && !path.contains("/swagger/");
        if !is_page {
            continue;
        }
        let page = text(&response);
        for link in links(&page, is_markdown) {
            assert!(!link.starts_with('/') && !link.contains("://"), "{link} of {path} does not work behind a prefix");
            let base = Url::parse("http://x").unwrap().join(&path).unwrap();
            let target = base.join(&link).unwrap();
            assert_eq!(target.host_str(), Some("x"), "{link}");
            if let Some(fragment) = target.fragment()
                && !is_markdown
            {
                let there = text(&get(server, target.path()));
                assert!(there.contains(&format!(" id=\"{fragment}\"")), "{link} of {path}");
            }
            open.push(target.path().to_owned());
        }
        pages.insert(path, page);
    }
    pages
}

/// Returns the number of HTML pages and of markdown pages below a path.
fn count(pages: &BTreeMap<String, String>, below: &str) -> (usize, usize) {
    let found: Vec<_> = pages.keys().filter(|path| path.starts_with(below)).collect();
    let markdown = found.iter().filter(|path| path.ends_with(".md")).count();
    (found.len() - markdown, markdown)
}

#[test]
fn every_link_of_valid_definitions_leads_to_a_page() {
    for folder in crate::describe::folders() {
        let rulebook = rulebook::Rulebook::load(&folder).unbound(rulebook::Unbound::Echo);
        let Ok(engine) = rulebook.build() else { panic!("{}", folder.display()) };
        let pages = crawl(&TestServer::start(&engine));
        let (html, markdown) = count(&pages, "/docs/");
        assert_eq!(html, markdown, "{}", folder.display());
        assert!(html >= 4, "{}", folder.display());
    }
}

#[test]
fn methods_and_modules_with_odd_names_have_pages_of_their_own() {
    let method = |(n, id): (usize, &&str)| {
        let method = json!({ "id": id, "info": format!("Method {n}") });
        (format!("s{n}"), json!({ "GET": method }))
    };
    let services: Value = ODD_NAMES.iter().enumerate().map(method).collect::<serde_json::Map<_, _>>().into();
    let mut modules: serde_json::Map<String, Value> = ODD_NAMES
        .iter()
        .enumerate()
        .map(|(n, name)| ((*name).to_owned(), json!({ "info": format!("Module {n}"), "/": { format!("m{n}"): {} } })))
        .collect();
    modules["x"]["/"] = services;
    let engine = engine(&[("api.json", json!({ "modules": modules }))], |own| own.unbound(rulebook::Unbound::Echo));
    let pages = crawl(&TestServer::start(&engine));
    assert_eq!(count(&pages, "/docs/methods/"), (ODD_NAMES.len(), ODD_NAMES.len()), "{:#?}", pages.keys());
    assert_eq!(count(&pages, "/docs/modules/"), (ODD_NAMES.len(), ODD_NAMES.len()), "{:#?}", pages.keys());
    for n in 0..ODD_NAMES.len() {
        for what in [format!("Method {n}"), format!("Module {n}")] {
            let with = |page: &&String| {
                page.contains(&format!("class=\"lead\"><bdi>{what}</bdi>")) || page.contains(&format!("\n\n{what}\n"))
            };
            let found = pages.iter().filter(|(path, _)| path.contains("/m")).map(|(_, page)| page).filter(with);
            assert_eq!(found.count(), 2, "{what}");
        }
    }
}

#[test]
fn a_page_has_one_path() {
    let server = TestServer::echo(&[("site.json", json!({ "/": { "a": { "GET": { "info": "One" } } } }))]);
    for there in ["/docs/methods/a.get", "/docs/methods/%61.get", "/docs/methods/a.get.md", "/docs/index.md"] {
        assert_eq!(get(&server, there).status, 200, "{there}");
    }
    for none in [
        "/docs/methods%2Fa.get",
        "/docs/methods/a.get/",
        "/docs/methods/a.get.md.md",
        "/docs//methods/a.get",
        "/docs/methods/A.get",
        "/docs/index",
        "/docs/.md",
        "/docs/contents/1",
        "/docs/methods/",
        "/docs/docs.html",
    ] {
        get(&server, none).assert_error(404, "");
    }
}
