//! The search page: the modules and methods that contain all words of a query, beginning with the best matches.

use super::contents::{contents_link, module_item};
use super::document::{Block, Inline, PageDocument};
use super::phrases::{count, method_line, wire_name};
use super::{MethodEntry, Pages};

/// The maximum number of methods, and of modules, on the page.
const MAX_RESULTS: usize = 100;
/// The maximum number of words in a query that are searched for. Further words are ignored.
const MAX_WORDS: usize = 16;

/// The texts of all modules and methods, in lower case.
#[derive(Debug)]
pub(super) struct SearchIndex {
    modules: Vec<String>,
    methods: Vec<MethodTexts>,
}

/// The texts of a method, grouped by the weight of a match in them.
#[derive(Debug)]
struct MethodTexts {
    /// The id and the URI.
    names: String,
    /// The description.
    info: String,
    /// The names and descriptions of the module, the parameters, the outputs and the errors.
    other: String,
}

impl MethodTexts {
    /// Returns the weight of the matches of a word, or `None` if no text contains the word.
    fn weight(&self, word: &str) -> Option<u32> {
        let weights = [(&self.names, 9), (&self.info, 3), (&self.other, 1)];
        let weight = weights.into_iter().map(|(text, weight)| if text.contains(word) { weight } else { 0 }).sum();
        (weight > 0).then_some(weight)
    }
}

impl SearchIndex {
    fn new(pages: &Pages) -> Self {
        let modules = pages.api.modules.iter();
        let modules = modules.map(|module| lines([module.name.as_str()].into_iter().chain(module.info.as_deref())));
        let methods = pages.entries(0..pages.methods.len()).map(|(_, entry)| Self::method(entry));
        Self { modules: modules.collect(), methods: methods.collect() }
    }

    fn method(MethodEntry { module, uri, method }: MethodEntry<'_>) -> MethodTexts {
        let parameters = method.parameters.iter();
        let parameters = parameters.flat_map(|parameter| [wire_name(parameter), &parameter.name, &parameter.info]);
        let outputs = method.outputs.iter().flat_map(|output| [output.name.as_str(), &output.info]);
        let errors = method.errors.iter().flat_map(|error| [error.name.as_str(), &error.info]);
        let other = [module.name.as_str()].into_iter().chain(parameters).chain(outputs).chain(errors);
        MethodTexts {
            names: lines([method.id.as_str(), method.http.as_str(), uri].into_iter()),
            info: method.info.to_lowercase(),
            other: lines(other),
        }
    }
}

/// Joins texts in lower case, one per line, so that no word can match across two texts.
fn lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.fold(String::new(), |mut lines, text| {
        lines.extend([&text.to_lowercase(), "\n"]);
        lines
    })
}

/// Returns the page with the results for a query.
pub(super) fn results<'a>(pages: &'a Pages, query: &'a str) -> PageDocument<'a> {
    let blocks = match SearchResults::new(pages, query) {
        Some(results) => results.blocks(pages),
        None => vec![Block::text(
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

/// Returns the page for a path that does not exist, with search results for the words of the path.
pub(super) fn missing<'a>(pages: &'a Pages, path: &str, query: &'a str) -> PageDocument<'a> {
    let mut blocks = vec![Block::text("This API has no such page. See the contents, or search for it.")];
    if let Some(results) = SearchResults::new(pages, query).filter(|results| !results.is_empty()) {
        blocks.extend(results.blocks(pages));
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

/// Returns the words in the last segment of a path, as a query.
pub(super) fn query_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The modules and methods that contain all words of a query, by index.
struct SearchResults {
    modules: Vec<usize>,
    /// The methods and the weights of their matches, sorted by weight in descending order.
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
        let modules = (0..index.modules.len())
            .filter(|module| words.iter().all(|word| index.modules[*module].contains(word.as_str())))
            .collect();
        let weight = |texts: &MethodTexts| words.iter().map(|word| texts.weight(word)).sum::<Option<u32>>();
        let matches = index.methods.iter().enumerate().filter_map(|(at, texts)| Some((weight(texts)?, at)));
        let mut methods: Vec<(u32, usize)> = matches.collect();
        // Of two methods with equal weights, the one with the shorter path comes first, then the first one in the
        // definition.
        methods.sort_by_key(|(weight, at)| (u32::MAX - weight, pages.entry(*at).uri.len(), *at));
        Some(Self { modules, methods })
    }

    fn is_empty(&self) -> bool {
        self.modules.is_empty() && self.methods.is_empty()
    }

    fn blocks<'a>(&self, pages: &'a Pages) -> Vec<Block<'a>> {
        let Self { modules, methods } = self;
        let mut counts = count(methods.len(), "method", "methods");
        if !modules.is_empty() {
            counts = format!("{} and {counts}", count(modules.len(), "module", "modules"));
        }
        let summary = if modules.len().max(methods.len()) > MAX_RESULTS {
            format!("Found {counts}. This page lists the first {MAX_RESULTS}.")
        } else {
            format!("Found {counts}.")
        };
        let mut blocks = vec![Block::text(summary)];
        if !modules.is_empty() {
            blocks.push(Block::heading("modules", "Modules"));
            let items = modules.iter().take(MAX_RESULTS).map(|module| module_item(pages, *module));
            blocks.push(Block::List(items.collect()));
        }
        if !methods.is_empty() {
            blocks.push(Block::heading("methods", "Methods"));
            let lines = methods.iter().take(MAX_RESULTS).map(|(_, at)| method_line(pages, *at, pages.entry(*at)));
            blocks.push(Block::Methods(lines.collect()));
        }
        blocks
    }
}
