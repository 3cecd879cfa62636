//! Links between the documents work, and every document is linked from the contents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::root;

/// The headings of a document that links can lead to, and its links.
#[derive(Default)]
struct Page {
    anchors: BTreeSet<String>,
    links: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Self {
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
                    let anchor = anchor(&heading.take().unwrap());
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

/// Returns the anchor that GitHub and most other viewers make for a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Returns the documents of this package, by their paths.
fn pages() -> BTreeMap<PathBuf, Page> {
    let of = |folder: &str| {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| PathBuf::from(folder).join(entry.unwrap().file_name());
        entries.map(name).filter(|path| path.extension().is_some_and(|end| end == "md")).collect::<Vec<_>>()
    };
    let paths = ["", "docs", "crates/rulebook"].into_iter().flat_map(of);
    paths.map(|path| (path.clone(), Page::read(&fs::read_to_string(root().join(path)).unwrap()))).collect()
}

/// Returns the path and the anchor that a link leads to, or `None` for a link to another site.
fn target(from: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
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
    let pages = pages();
    let mut broken = Vec::new();
    let mut links = 0;
    for (from, page) in &pages {
        for (link, target) in page.links.iter().filter_map(|link| Some((link, target(from, link)?))) {
            links += 1;
            let (path, anchor) = target;
            let there = match (pages.get(&path), anchor) {
                (Some(page), Some(anchor)) => page.anchors.contains(&anchor),
                (None, Some(_)) => false,
                (_, None) => root().join(&path).exists(),
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
    let pages = pages();
    let contents = Path::new("docs/README.md");
    let listed: Vec<_> = pages[contents].links.iter().filter_map(|link| Some(target(contents, link)?.0)).collect();
    for path in pages.keys().filter(|path| path.starts_with("docs") && *path != contents) {
        assert!(listed.contains(path), "{} is not in {}", path.display(), contents.display());
    }
}

#[test]
fn anchors_equal_those_of_github() {
    for (heading, expected) in
        [("From api 3.0", "from-api-30"), ("`app.json`", "appjson"), ("And now?", "and-now"), ("A – B", "a--b")]
    {
        assert_eq!(anchor(heading), expected);
    }
    let page = Page::read("# A\n\n## A\n\n[x](y.md#z) ![p](p.png)\n");
    assert_eq!(page.anchors.into_iter().collect::<Vec<_>>(), ["a", "a-1"]);
    assert_eq!(page.links, ["y.md#z", "p.png"]);
}
