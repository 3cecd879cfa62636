//! Tests that the pages of an API with thousands of services stay small.

use rulebook_model::describe::PageForm;
use serde_json::{Map, Value, json};

use super::{page_content, page_in_both_formats, render_pages};

/// Returns a definition with this number of services. Each API module has `per_module` of them.
fn definition_with_many_services(services: usize, per_module: usize) -> Value {
    let service = |n: usize| (format!("s{n}"), json!({ "GET": { "info": format!("Service number {n}") } }));
    let module = |m: usize| {
        let first = m * per_module;
        let services: Map<_, _> = (first..(first + per_module).min(services)).map(service).collect();
        (format!("m{m}"), json!({ "info": "Some of them", "/": services }))
    };
    json!({ "modules": (0..services.div_ceil(per_module)).map(module).collect::<Map<_, _>>() })
}

/// The maximum size in bytes of a page that lists parts of the API.
const MAX_PAGE_BYTES: usize = 256 << 10;

#[test]
fn pages_stay_small_for_any_number_of_services_per_module() {
    for (services, per_module) in [(500, 50), (501, 1), (2_000, 100), (2_000, 2_000), (2_000, 1)] {
        let pages = render_pages(&definition_with_many_services(services, per_module));
        let paths = pages.paths();
        let methods = paths.iter().filter(|path| path.starts_with("methods/")).count();
        assert_eq!(methods, services);
        // Each method must be linked from a page of its API module, and each API module from a page of the contents.
        let mut linked = std::collections::HashSet::new();
        for (index, path) in paths.iter().enumerate() {
            if path.starts_with("methods/") && !path.ends_with("7.get") {
                continue;
            }
            let (html, markdown) = (pages.html(index), pages.markdown(index));
            assert!(
                html.len() < MAX_PAGE_BYTES && markdown.len() < MAX_PAGE_BYTES,
                "{path}: {} {}",
                html.len(),
                markdown.len()
            );
            for link in markdown.split("](").skip(1).filter_map(|behind| behind.split(".md)").next()) {
                linked.insert(link.trim_start_matches("../").to_owned());
            }
        }
        for path in paths.iter().filter(|path| !path.is_empty()) {
            assert!(linked.contains(path), "no page links to {path}");
        }
        let (contents, _) = page_in_both_formats(&pages, "");
        assert_eq!(contents.contains("methods/s0.get"), services <= 500);
        assert!(pages.llms().len() < MAX_PAGE_BYTES, "{}", pages.llms().len());
    }
}

#[test]
fn a_search_with_many_results_lists_the_first_ones() {
    let pages = render_pages(&definition_with_many_services(2_000, 100));
    let [html, markdown] = [PageForm::Html, PageForm::Markdown].map(|form| pages.search("service", form));
    assert_eq!(page_content(&html).matches("<li><a href=\"methods/").count(), 100);
    assert!(markdown.contains("Found 2000 methods, ") && markdown.contains(" The first 100 of each are listed."));
    let html = pages.search("s1999", PageForm::Html);
    assert_eq!(page_content(&html).matches("<li><a href=\"methods/").count(), 1);
}
