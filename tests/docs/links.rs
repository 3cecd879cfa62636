//! Tests that every link of every page leads to an existing page, and that every page is linked from another page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use url::Url;

use super::{body_text, get_page};
use crate::client::{TestServer, engine};

/// Names that a browser, a proxy or a URL encoder could change in a path.
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

/// Returns the links in a page that lead to the same server.
fn local_links(page: &str, is_markdown: bool) -> Vec<String> {
    let marks: &[&str] = if is_markdown { &["]("] } else { &[" href=\"", " src=\"", " action=\""] };
    let end = if is_markdown { ')' } else { '"' };
    let behind = marks.iter().flat_map(|mark| page.split(mark).skip(1));
    let links = behind.map(|behind| behind.split(end).next().unwrap().to_owned());
    links.filter(|link| !["data:", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme))).collect()
}

/// Follows all links, beginning with the start page in HTML and with the texts for language models. Returns the text of
/// each page. The map keys are the paths of the pages.
#[track_caller]
fn crawl(server: &TestServer) -> BTreeMap<String, String> {
    let mut open = vec!["/docs/".to_owned(), "/llms.txt".to_owned(), "/llms-full.txt".to_owned()];
    let mut seen = BTreeSet::new();
    let mut pages = BTreeMap::new();
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let response = get_page(server, &path);
        assert_eq!(response.status, 200, "{path}");
        let media_type = response.field("content-type").unwrap();
        let is_markdown = media_type.starts_with("text/markdown") || path.starts_with("/llms");
        let is_page = is_markdown || media_type.starts_with("text/html") && !path.contains("/swagger/");
        if !is_page {
            continue;
        }
        let page = body_text(&response);
        for link in local_links(&page, is_markdown) {
            assert!(!link.starts_with('/') && !link.contains("://"), "{link} of {path} does not work behind a prefix");
            let base = Url::parse("http://x").unwrap().join(&path).unwrap();
            let target = base.join(&link).unwrap();
            assert_eq!(target.host_str(), Some("x"), "{link}");
            if let Some(fragment) = target.fragment()
                && !is_markdown
            {
                let there = body_text(&get_page(server, target.path()));
                assert!(there.contains(&format!(" id=\"{fragment}\"")), "{link} of {path}");
            }
            open.push(target.path().to_owned());
        }
        pages.insert(path, page);
    }
    pages
}

/// Returns the number of HTML pages and the number of markdown pages below a path.
fn count_pages(pages: &BTreeMap<String, String>, below: &str) -> (usize, usize) {
    let found: Vec<_> = pages.keys().filter(|path| path.starts_with(below)).collect();
    let markdown = found.iter().filter(|path| path.ends_with(".md")).count();
    (found.len() - markdown, markdown)
}

#[test]
fn every_link_of_valid_definitions_leads_to_a_page() {
    for folder in crate::describe::definition_folders() {
        let rulebook = rulebook::Rulebook::load(&folder).unbound(rulebook::Unbound::Echo);
        let Ok(engine) = rulebook.build() else { panic!("{}", folder.display()) };
        let pages = crawl(&TestServer::start(&engine));
        let (html, markdown) = count_pages(&pages, "/docs/");
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
    assert_eq!(count_pages(&pages, "/docs/methods/"), (ODD_NAMES.len(), ODD_NAMES.len()), "{:#?}", pages.keys());
    assert_eq!(count_pages(&pages, "/docs/modules/"), (ODD_NAMES.len(), ODD_NAMES.len()), "{:#?}", pages.keys());
    for n in 0..ODD_NAMES.len() {
        for what in [format!("Method {n}"), format!("Module {n}")] {
            let with = |page: &&String| {
                let shown = [format!("<h1><bdi>{what}</bdi></h1>"), format!("<p><bdi>{what}</bdi></p>")];
                let written = [format!("\n# {what}\n"), format!("\n\n{what}\n")];
                shown.iter().chain(&written).any(|text| page.contains(text))
            };
            let found = pages.iter().filter(|(path, _)| path.contains("/m")).map(|(_, page)| page).filter(with);
            assert_eq!(found.count(), 2, "{what}");
        }
    }
}

#[test]
fn a_page_has_only_one_path() {
    let server = TestServer::echo(&[("site.json", json!({ "/": { "a": { "GET": { "info": "One" } } } }))]);
    for there in ["/docs/methods/a.get", "/docs/methods/%61.get", "/docs/methods/a.get.md", "/docs/index.md"] {
        assert_eq!(get_page(&server, there).status, 200, "{there}");
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
        get_page(&server, none).assert_error(404, "");
    }
}
