//! Tests that the links between the markdown documents of the repository work, and that the table of contents links to
//! every document.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::repository_folder;

/// A document: the anchors of its headings, and the targets of its links.
#[derive(Default)]
struct Page {
    anchors: BTreeSet<String>,
    links: Vec<String>,
}

impl Page {
    fn parse(text: &str) -> Self {
        let (mut page, mut heading) = (Self::default(), None);
        let mut times = BTreeMap::<String, usize>::new();
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(words) | Event::Code(words) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = heading_anchor(&heading.take().unwrap());
                    let before = times.entry(anchor.clone()).or_default();
                    page.anchors.insert(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
                    *before += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                _ => {}
            }
        }
        page
    }
}

/// Returns the anchor that GitHub and most other viewers give a heading.
fn heading_anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Returns all documents of this package. The map keys are their paths.
fn read_all_documents() -> BTreeMap<PathBuf, Page> {
    let of = |folder: &str| {
        let entries = fs::read_dir(repository_folder().join(folder)).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| PathBuf::from(folder).join(entry.unwrap().file_name());
        entries.map(name).filter(|path| path.extension().is_some_and(|end| end == "md")).collect::<Vec<_>>()
    };
    let paths = ["", "docs", "crates/rulebook", "crates/rulebook-cli"].into_iter().flat_map(of);
    paths
        .map(|path| (path.clone(), Page::parse(&fs::read_to_string(repository_folder().join(path)).unwrap())))
        .collect()
}

/// Returns the path and the anchor of a link in the document `from`; `None` for a link to another site.
fn resolve_link(from: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.contains(':') {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor.to_owned())));
    let mut whole = if path.is_empty() { from.to_owned() } else { from.parent().unwrap().to_owned() };
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => assert!(whole.pop(), "{link} leads out of the package"),
            part => whole.push(part),
        }
    }
    Some((whole, anchor))
}

#[test]
fn links_lead_to_existing_pages_and_headings() {
    let pages = read_all_documents();
    let mut broken = Vec::new();
    let mut links = 0;
    for (from, page) in &pages {
        for (link, target) in page.links.iter().filter_map(|link| Some((link, resolve_link(from, link)?))) {
            links += 1;
            let (path, anchor) = target;
            let there = match (pages.get(&path), anchor) {
                (Some(page), Some(anchor)) => page.anchors.contains(&anchor),
                (None, Some(_)) => false,
                (_, None) => repository_folder().join(&path).exists(),
            };
            if !there {
                broken.push(format!("{}: {link} does not exist", from.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(links > 40, "there are only {links} links");
}

#[test]
fn every_page_is_linked_from_the_contents() {
    let pages = read_all_documents();
    let contents = Path::new("docs/README.md");
    let listed: Vec<_> =
        pages[contents].links.iter().filter_map(|link| Some(resolve_link(contents, link)?.0)).collect();
    for path in pages.keys().filter(|path| path.starts_with("docs") && *path != contents) {
        assert!(listed.contains(path), "{} is not in {}", path.display(), contents.display());
    }
}

#[test]
fn anchors_equal_those_of_github() {
    for (heading, expected) in
        [("From api 3.0", "from-api-30"), ("`app.json`", "appjson"), ("And now?", "and-now"), ("A – B", "a--b")]
    {
        assert_eq!(heading_anchor(heading), expected);
    }
    let page = Page::parse("# A\n\n## A\n\n[x](y.md#z) ![p](p.png)\n");
    assert_eq!(page.anchors.into_iter().collect::<Vec<_>>(), ["a", "a-1"]);
    assert_eq!(page.links, ["y.md#z", "p.png"]);
}
