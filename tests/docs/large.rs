//! An API of thousands of services documents itself on small pages.

use serde_json::{Map, Value, json};

use super::{at, pages};

/// So many services, in modules of so many.
fn definition(services: usize, in_each: usize) -> Value {
    let service = |n: usize| (format!("s{n}"), json!({ "GET": { "info": format!("Service number {n}") } }));
    let module = |m: usize| {
        let first = m * in_each;
        let services: Map<_, _> = (first..(first + in_each).min(services)).map(service).collect();
        (format!("m{m}"), json!({ "info": "Some of them", "/": services }))
    };
    json!({ "modules": (0..services.div_ceil(in_each)).map(module).collect::<Map<_, _>>() })
}

/// The most bytes of a page but the two that have nothing to do with the API.
const MOST: usize = 256 << 10;

#[test]
fn pages_stay_small_however_services_are_spread() {
    for (services, in_each) in [(500, 50), (501, 1), (2_000, 100), (2_000, 2_000), (2_000, 1)] {
        let pages = pages(&definition(services, in_each));
        let paths = pages.paths();
        let methods = paths.iter().filter(|path| path.starts_with("methods/")).count();
        assert_eq!(methods, services);
        // Every page leads on: each method stands on a page of its module, each module on one of the contents.
        let mut linked = std::collections::HashSet::new();
        for (index, path) in paths.iter().enumerate() {
            if path.starts_with("methods/") && !path.ends_with("7.get") {
                continue;
            }
            let (html, markdown) = (pages.html(index), pages.markdown(index));
            assert!(html.len() < MOST && markdown.len() < MOST, "{path}: {} {}", html.len(), markdown.len());
            for link in markdown.split("](").skip(1).filter_map(|behind| behind.split(".md)").next()) {
                linked.insert(link.trim_start_matches("../").to_owned());
            }
        }
        for path in paths.iter().filter(|path| !path.is_empty()) {
            assert!(linked.contains(path), "nothing leads to {path}");
        }
        let (contents, _) = at(&pages, "");
        assert_eq!(contents.contains("methods/s0.get"), services <= 500);
        assert!(pages.llms().len() < MOST, "{}", pages.llms().len());
    }
}

#[test]
fn of_very_much_that_is_found_the_first_is_shown() {
    let pages = pages(&definition(2_000, 100));
    let (html, markdown) = pages.search("service");
    assert_eq!(html.matches("<li><a href=\"methods/").count(), 100);
    assert!(markdown.contains("Found 2000 methods; the first 100 are shown."));
    let (html, _) = pages.search("s1999");
    assert_eq!(html.matches("<li><a href=\"methods/").count(), 1);
}
