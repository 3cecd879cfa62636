//! The search page. It lists the API modules and methods whose texts contain all words of a query, beginning with the
//! best matches.

use super::contents::{contents_link, module_list_item};
use super::document::{Block, Inline, PageDocument};
use super::phrases::{count_with_noun, method_line, request_name};
use super::{MethodEntry, Pages};

/// The maximum number of methods on the search page, and also the maximum number of API modules.
const MAX_RESULTS: usize = 100;
/// The maximum number of words in a query. Further words of the query are ignored.
const MAX_WORDS: usize = 16;

/// The texts of all API modules and methods, in lower case.
#[derive(Debug)]
pub(super) struct SearchIndex {
    module_texts: Vec<String>,
    method_texts: Vec<MethodTexts>,
}

/// The texts of a method in three groups. The group of a text determines the weight of a match in this text.
#[derive(Debug)]
struct MethodTexts {
    /// The id, the HTTP method and the URI of the method.
    id_and_uri: String,
    /// The description of the method.
    info: String,
    /// The name of the API module, and the names and descriptions of the parameters, the outputs and the errors.
    other_texts: String,
}

impl MethodTexts {
    /// Returns the sum of the weights of all groups that contain a word, or `None` if no group contains the word.
    fn weight(&self, word: &str) -> Option<u32> {
        let weights = [(&self.id_and_uri, 9), (&self.info, 3), (&self.other_texts, 1)];
        let weight = weights.into_iter().map(|(text, weight)| if text.contains(word) { weight } else { 0 }).sum();
        (weight > 0).then_some(weight)
    }
}

impl SearchIndex {
    fn new(pages: &Pages) -> Self {
        let modules = pages.api.modules.iter();
        let modules = modules
            .map(|module| join_lowercase_lines([module.name.as_str()].into_iter().chain(module.info.as_deref())));
        let methods = pages.method_entries(0..pages.methods.len()).map(|(_, entry)| Self::method_texts(entry));
        Self { module_texts: modules.collect(), method_texts: methods.collect() }
    }

    fn method_texts(MethodEntry { module, uri, method }: MethodEntry<'_>) -> MethodTexts {
        let parameters = method.parameters.iter();
        let parameters = parameters.flat_map(|parameter| [request_name(parameter), &parameter.name, &parameter.info]);
        let outputs = method.outputs.iter().flat_map(|output| [output.name.as_str(), &output.info]);
        let errors = method.errors.iter().flat_map(|error| [error.name.as_str(), &error.info]);
        let other_texts = [module.name.as_str()].into_iter().chain(parameters).chain(outputs).chain(errors);
        MethodTexts {
            id_and_uri: join_lowercase_lines([method.id.as_str(), method.http.as_str(), uri].into_iter()),
            info: method.info.to_lowercase(),
            other_texts: join_lowercase_lines(other_texts),
        }
    }
}

/// Converts texts to lower case and joins them, with one text on each line. A word can therefore not match across two
/// texts.
fn join_lowercase_lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.fold(String::new(), |mut lines, text| {
        lines.extend([&text.to_lowercase(), "\n"]);
        lines
    })
}

/// Returns the search page with the results for a query.
pub(super) fn search_page<'a>(pages: &'a Pages, query: &'a str) -> PageDocument<'a> {
    let blocks = match SearchResults::new(pages, query) {
        Some(results) => results.to_blocks(pages),
        None => vec![Block::paragraph(
            "Enter words from a path, an id, a description or a parameter. The search lists the modules and methods \
             that contain all of them.",
        )],
    };
    PageDocument {
        path: "search".to_owned(),
        title: "Search".into(),
        heading: vec![Inline::text("Search")],
        breadcrumbs: vec![contents_link(pages)],
        query,
        blocks,
    }
}

/// Returns the page that is shown if no page has the requested path. It contains search results for the words of the
/// path.
pub(super) fn page_not_found<'a>(pages: &'a Pages, path: &str, query: &'a str) -> PageDocument<'a> {
    let mut blocks = vec![Block::paragraph("This API has no such page. See the contents, or search for it.")];
    if let Some(results) = SearchResults::new(pages, query).filter(|results| !results.is_empty()) {
        blocks.extend(results.to_blocks(pages));
    }
    let heading = "Page not found";
    PageDocument {
        path: path.to_owned(),
        title: heading.into(),
        heading: vec![Inline::text(heading)],
        breadcrumbs: vec![contents_link(pages)],
        query,
        blocks,
    }
}

/// Returns a query that consists of the words in the last segment of a path.
pub(super) fn query_from_path(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The indexes of the API modules and methods whose texts contain all words of a query.
struct SearchResults {
    modules: Vec<usize>,
    /// The weight and the index of each method, sorted by weight in descending order.
    methods: Vec<(u32, usize)>,
}

impl SearchResults {
    /// Returns the results for a query, or `None` if the query contains no words.
    fn new(pages: &Pages, query: &str) -> Option<Self> {
        let index = pages.search_index.get_or_init(|| SearchIndex::new(pages));
        let words: Vec<String> = query.split_whitespace().take(MAX_WORDS).map(str::to_lowercase).collect();
        if words.is_empty() {
            return None;
        }
        let modules = (0..index.module_texts.len())
            .filter(|module| words.iter().all(|word| index.module_texts[*module].contains(word.as_str())))
            .collect();
        let weight = |texts: &MethodTexts| words.iter().map(|word| texts.weight(word)).sum::<Option<u32>>();
        let matches = index.method_texts.iter().enumerate().filter_map(|(at, texts)| Some((weight(texts)?, at)));
        let mut methods: Vec<(u32, usize)> = matches.collect();
        // Methods with equal weights are sorted by the length of their paths, then by their order in the definition.
        methods.sort_by_key(|(weight, at)| (u32::MAX - weight, pages.method_entry(*at).uri.len(), *at));
        Some(Self { modules, methods })
    }

    fn is_empty(&self) -> bool {
        self.modules.is_empty() && self.methods.is_empty()
    }

    fn to_blocks<'a>(&self, pages: &'a Pages) -> Vec<Block<'a>> {
        let Self { modules, methods } = self;
        let mut counts = count_with_noun(methods.len(), "method", "methods");
        if !modules.is_empty() {
            counts = format!("{} and {counts}", count_with_noun(modules.len(), "module", "modules"));
        }
        let summary = if modules.len().max(methods.len()) > MAX_RESULTS {
            format!("Found {counts}. This page lists the first {MAX_RESULTS}.")
        } else {
            format!("Found {counts}.")
        };
        let mut blocks = vec![Block::paragraph(summary)];
        if !modules.is_empty() {
            blocks.push(Block::heading("modules", "Modules"));
            let items = modules.iter().take(MAX_RESULTS).map(|module| module_list_item(pages, *module));
            blocks.push(Block::List(items.collect()));
        }
        if !methods.is_empty() {
            blocks.push(Block::heading("methods", "Methods"));
            let lines =
                methods.iter().take(MAX_RESULTS).map(|(_, at)| method_line(pages, *at, pages.method_entry(*at)));
            blocks.push(Block::Methods(lines.collect()));
        }
        blocks
    }
}
