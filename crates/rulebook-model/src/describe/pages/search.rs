//! The search page. It lists the API modules, schemas, methods and errors whose texts contain all words of a query,
//! beginning with the best matches.

use super::Pages;
use super::contents::module_list_item;
use super::document::{Block, Inline, ListItem, PageDocument};
use super::links::errors_link;
use super::phrases::{count_with_noun, method_line};
use super::schema::schema_item;
use super::search_index::{Found, SearchIndex};
use crate::error::ErrorCode;

/// The maximum number of methods on the search page, and also the maximum number of API modules and of schemas.
const MAX_RESULTS: usize = 100;
/// The maximum number of words in a query. Further words of the query are ignored.
const MAX_WORDS: usize = 8;

pub(super) fn search_page<'a>(pages: &'a Pages, query: &'a str) -> PageDocument<'a> {
    let blocks = match SearchResults::new(pages, query) {
        Some(results) => results.to_blocks(pages),
        None => vec![Block::paragraph(
            "Enter words from a path, an id, a description or a parameter; the code or status of an error; a \
             permission; or a URL such as /article/3. The search lists what contains all of the words.",
        )],
    };
    PageDocument { query, ..PageDocument::new(pages, "search".to_owned(), "Search", blocks) }
}

/// Returns the page that is shown if no page has the requested path. It contains search results for the words of the
/// path.
pub(super) fn page_not_found<'a>(pages: &'a Pages, path: &str, query: &'a str) -> PageDocument<'a> {
    let mut blocks = vec![Block::paragraph("This API has no such page. See the contents, or search for it.")];
    if let Some(results) = SearchResults::new(pages, query).filter(|results| !results.is_empty()) {
        blocks.extend(results.to_blocks(pages));
    }
    PageDocument { query, ..PageDocument::new(pages, path.to_owned(), "Page not found", blocks) }
}

/// Returns a query that consists of the words in the last segment of a path.
pub(super) fn query_from_path(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

struct SearchResults {
    /// The words that were found instead of misspelled words of the query; `None` if no word was corrected.
    corrected: Option<String>,
    /// The methods are sorted by weight in descending order.
    found: Found,
}

impl SearchResults {
    /// Returns the results for a query, or `None` if the query contains no words.
    fn new(pages: &Pages, query: &str) -> Option<Self> {
        let index = pages.search_index.get_or_init(|| SearchIndex::new(pages));
        let url = index.parse_url(query);
        let words: Vec<_> = query.split_whitespace().take(MAX_WORDS).map(str::to_lowercase).collect();
        if words.is_empty() {
            return None;
        }
        let mut found = index.find(&words, url.as_ref());
        let mut corrected = None;
        if found.is_empty() {
            if let Some(url) = url.and_then(|url| index.correct_url(&url)) {
                found = index.find(&[url.to_text()], Some(&url));
                corrected = Some(url.to_text());
            } else if let Some(words) = index.correct(&words).or_else(|| index.correct(&parts_of_words(&words))) {
                found = index.find(&words, None);
                corrected = Some(words.join(" "));
            }
        }
        // Methods with equal weights are sorted by the length of their paths, then by their order in the definition.
        found.methods.sort_by_key(|(weight, at)| (u32::MAX - weight, pages.method_entry(*at).uri.len(), *at));
        Some(Self { corrected, found })
    }

    fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn to_blocks<'a>(&self, pages: &'a Pages) -> Vec<Block<'a>> {
        let Found { modules, methods, schemas, errors } = &self.found;
        let mut blocks = Vec::new();
        if let Some(words) = self.corrected.as_ref().filter(|_| !self.is_empty()) {
            let words = Inline::quoted(words.clone());
            blocks.push(Block::Paragraph(vec![Inline::text("Nothing contains these words. Results for: "), words]));
        }
        blocks.push(Block::paragraph(summarize(&self.found)));
        if !errors.is_empty() {
            blocks.push(Block::heading("errors", "Errors"));
            blocks.push(Block::List(errors.iter().copied().map(error_item).collect()));
        }
        if !modules.is_empty() {
            blocks.push(Block::heading("modules", "Modules"));
            let items = modules.iter().take(MAX_RESULTS).map(|module| module_list_item(pages, *module));
            blocks.push(Block::List(items.collect()));
        }
        if !schemas.is_empty() {
            blocks.push(Block::heading("schemas", "Schemas"));
            let items = schemas.iter().take(MAX_RESULTS).map(|schema| schema_item(pages, *schema));
            blocks.push(Block::List(items.collect()));
        }
        if !methods.is_empty() {
            blocks.push(Block::heading("methods", "Methods"));
            let lines = methods.iter().take(MAX_RESULTS).map(|(_, at)| method_line(pages.method_entry(*at)));
            blocks.push(Block::Methods(lines.collect()));
        }
        blocks
    }
}

/// Returns the parts of words that contain punctuation, such as the words of `invalid-paramter`.
fn parts_of_words(words: &[String]) -> Vec<String> {
    let parts = words.iter().flat_map(|word| word.split(|c: char| !c.is_alphanumeric()));
    parts.filter(|part| !part.is_empty()).take(MAX_WORDS).map(str::to_owned).collect()
}

/// States how many API modules, schemas, methods and errors were found.
fn summarize(found: &Found) -> String {
    let (modules, schemas, methods) = (found.modules.len(), found.schemas.len(), found.methods.len());
    let optional =
        [(found.errors.len(), "error", "errors"), (modules, "module", "modules"), (schemas, "schema", "schemas")];
    let counts = optional.iter().filter(|(number, ..)| *number > 0);
    let counts: Vec<_> = counts.map(|(number, one, many)| count_with_noun(*number, one, many)).collect();
    let last = count_with_noun(methods, "method", "methods");
    let counts = if counts.is_empty() { last } else { format!("{} and {last}", counts.join(", ")) };
    if modules.max(methods).max(schemas) > MAX_RESULTS {
        format!("Found {counts}. This page lists the first {MAX_RESULTS}.")
    } else {
        format!("Found {counts}.")
    }
}

/// Describes an error of the server, with a link to its row on the page of errors.
fn error_item<'a>(code: ErrorCode) -> ListItem<'a> {
    let row = code.row();
    let link = errors_link(Some(row.name));
    ListItem::new(vec![
        Inline::Link(link, vec![Inline::code(row.name)]),
        Inline::text(format!(" (status {}): {}", row.status, code.title())),
    ])
}
