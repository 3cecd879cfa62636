//! The search page. It lists the methods, parameters, schemas, errors, API modules and documents whose texts contain
//! all words of a query, or synonyms of them, beginning with the best matches. The page for a path without a page has a
//! search, too.

use super::contents::{contents_facts, document_item, documents, module_list_item};
use super::document::{Block, Inline, ListItem, PageDocument, parse_line, plain_text};
use super::error_pages::find_limits;
use super::fields::{fragment, output_name};
use super::links::{LinkTarget, SEARCH_PATH, errors_link, method_page_path};
use super::phrases::{count_with_noun, first_line, location_name, method_line};
use super::schema::schema_item;
use super::search_index::{Found, SearchIndex};
use super::{PageId, Pages};
use crate::diagnostic::DiagnosticCode;
use crate::error::ErrorCode;
use crate::model::OutputPlace;

/// The maximum number of results of each kind on the search page.
const MAX_RESULTS: usize = 100;
/// The maximum number of results of each kind in the dialog of the search.
const MAX_RESULTS_OF_DIALOG: usize = 6;
/// The maximum number of methods or modules that are suggested if nothing contains all words.
const MAX_SUGGESTIONS: usize = 8;
/// The maximum number of words in a query. Further words of the query are ignored.
const MAX_WORDS: usize = 8;
/// The minimum length in bytes of the words that find settings and errors of definitions.
const MIN_WORD_LEN: usize = 3;

pub(super) fn search_page<'a>(pages: &'a Pages, query: &'a str) -> PageDocument<'a> {
    let blocks = search_blocks(pages, query, MAX_RESULTS).unwrap_or_else(explanation);
    PageDocument { query, ..PageDocument::new(pages, SEARCH_PATH.to_owned(), "Search", blocks) }
}

/// Returns the first results of each kind, which the dialog of the search shows. Their links are relative to `path`.
pub(super) fn results_of_dialog<'a>(pages: &'a Pages, path: &str, query: &'a str) -> PageDocument<'a> {
    let blocks = search_blocks(pages, query, MAX_RESULTS_OF_DIALOG).unwrap_or_else(explanation);
    PageDocument { query, ..PageDocument::new(pages, path.to_owned(), "Search", blocks) }
}

/// `None` if the query contains no words.
fn search_blocks<'a>(pages: &'a Pages, query: &str, limit: usize) -> Option<Vec<Block<'a>>> {
    let results = SearchResults::new(pages, query)?;
    Some(if results.is_empty() { suggestions(pages, query) } else { results.to_blocks(pages, limit) })
}

fn explanation<'a>() -> Vec<Block<'a>> {
    vec![Block::paragraph(
        "Enter words from a path, an id, a description or a parameter; the code or status of an error; a permission; \
         or a URL such as /article/3. The search lists what contains all of the words.",
    )]
}

/// Contains search results for the words of the path.
pub(super) fn page_not_found<'a>(pages: &'a Pages, path: &str, query: &'a str) -> PageDocument<'a> {
    let mut blocks = vec![Block::paragraph("This API has no such page. See the contents, or search for it.")];
    blocks.extend(search_blocks(pages, query, MAX_RESULTS).into_iter().flatten());
    PageDocument { query, ..PageDocument::new(pages, path.to_owned(), "Page not found", blocks) }
}

/// Returns a query that consists of the words in the last segment of a path.
pub(super) fn query_from_path(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

struct SearchResults<'a> {
    /// The words that were found instead of misspelled words of the query; `None` if no word was corrected.
    corrected: Option<String>,
    /// The methods are sorted by weight in descending order.
    found: Found,
    members: Vec<FoundMember<'a>>,
    /// Settings of the API, documents, and errors of definitions.
    others: Vec<ListItem<'a>>,
    /// `true` if the query is the code or the status of an error.
    is_error: bool,
}

impl<'a> SearchResults<'a> {
    /// Returns the results for a query, or `None` if the query contains no words.
    fn new(pages: &'a Pages, query: &str) -> Option<Self> {
        let index = search_index(pages);
        let url = index.parse_url(query);
        let mut words = words_of(query);
        if words.is_empty() {
            return None;
        }
        let mut queries = with_synonyms(&words);
        let mut found = index.find(&queries, url.as_ref());
        let mut others = other_results(pages, &queries);
        let mut corrected = None;
        if found.is_empty() && others.is_empty() {
            let parts = parts_of_words(&words);
            if let Some(url) = url.and_then(|url| index.correct_url(&url)) {
                found = index.find(&[vec![url.to_text()]], Some(&url));
                corrected = Some(url.to_text());
            } else if let Some(known) =
                index.correct(&words).or_else(|| index.correct(&parts)).or((parts != words).then_some(parts))
            {
                queries = with_synonyms(&known);
                found = index.find(&queries, None);
                others = other_results(pages, &queries);
                corrected = Some(known.join(" "));
                words = known;
            }
        }
        // Methods with equal weights are sorted by the length of their paths, then by their order in the definition.
        found.methods.sort_by_key(|(weight, at)| (u32::MAX - weight, pages.method_entry(*at).uri.len(), *at));
        let members = find_members(pages, &found.methods, &queries, MAX_RESULTS);
        let is_named =
            |code: &ErrorCode| [code.row().name, &code.row().status.to_string()].contains(&&*words.join(" "));
        let is_error = found.errors.iter().any(is_named);
        Some(Self { corrected, found, members, others, is_error })
    }

    fn is_empty(&self) -> bool {
        self.found.is_empty() && self.others.is_empty()
    }

    /// Lists the results, at most `limit` of each kind.
    fn to_blocks(&self, pages: &'a Pages, limit: usize) -> Vec<Block<'a>> {
        let Found { modules, methods, schemas, errors } = &self.found;
        let mut blocks = Vec::new();
        if let Some(words) = &self.corrected {
            let words = Inline::quoted(words.clone());
            let before = Inline::text("Nothing contains these words. Results for: ");
            blocks.push(Block::Paragraph(vec![before, words, Inline::text(".")]));
        }
        blocks.push(Block::paragraph(self.summarize(limit)));
        let lines = methods.iter().take(limit).map(|(_, at)| method_line(pages.method_entry(*at)));
        let methods: Vec<_> = lines.collect();
        let methods = (!methods.is_empty()).then(|| [Block::heading("methods", "Methods"), Block::Methods(methods)]);
        let items = |id, name, items: Vec<ListItem<'a>>| {
            (!items.is_empty()).then(|| [Block::heading(id, name), Block::List(items)])
        };
        let members = self.members.iter().take(limit).map(|member| member_item(pages, member)).collect();
        let errors =
            items("errors", "Errors of the server", errors.iter().copied().take(limit).map(error_item).collect());
        let schemas = schemas.iter().take(limit).map(|schema| schema_item(pages, *schema)).collect();
        let modules = modules.iter().take(limit).map(|module| module_list_item(pages, *module)).collect();
        let others = self.others.iter().take(limit).cloned().collect();
        let (first, last) = if self.is_error { (errors, None) } else { (None, errors) };
        let groups = [
            first,
            methods,
            items("members", "Parameters, outputs, errors", members),
            items("schemas", "Schemas", schemas),
            last,
            items("modules", "Modules", modules),
            items("others", "Settings and documents", others),
        ];
        blocks.extend(groups.into_iter().flatten().flatten());
        blocks
    }

    fn summarize(&self, limit: usize) -> String {
        let Found { modules, methods, schemas, errors } = &self.found;
        let counted = [
            (methods.len(), "method", "methods"),
            (self.members.len(), "parameter, output or error", "parameters, outputs or errors"),
            (schemas.len(), "schema", "schemas"),
            (errors.len(), "error of the server", "errors of the server"),
            (modules.len(), "module", "modules"),
            (self.others.len(), "other entry", "other entries"),
        ];
        let counts = counted.iter().filter(|(number, ..)| *number > 0);
        let counts: Vec<_> = counts.map(|(number, one, many)| count_with_noun(*number, one, many)).collect();
        let is_cut = counted.iter().any(|(number, ..)| *number > limit);
        let listed = if is_cut { format!(" The first {limit} of each are listed.") } else { String::new() };
        format!("Found {}.{listed}", counts.join(", "))
    }
}

fn search_index(pages: &Pages) -> &SearchIndex {
    pages.search_index.get_or_init(|| SearchIndex::new(pages))
}

/// Returns the first words of a query, in lower case.
fn words_of(query: &str) -> Vec<String> {
    query.split_whitespace().take(MAX_WORDS).map(str::to_lowercase).collect()
}

/// Returns the parts of words that contain punctuation, such as the words of `invalid-paramter`.
fn parts_of_words(words: &[String]) -> Vec<String> {
    let parts = words.iter().flat_map(|word| word.split(|c: char| !c.is_alphanumeric()));
    parts.filter(|part| !part.is_empty()).take(MAX_WORDS).map(str::to_owned).collect()
}

/// Returns what a reader can do if nothing contains all words of a query: similar words, the methods that contain some
/// of the words or, if no method contains one, the API modules.
fn suggestions<'a>(pages: &'a Pages, query: &str) -> Vec<Block<'a>> {
    let index = search_index(pages);
    let words = words_of(query);
    let mut blocks = vec![Block::Paragraph(vec![
        Inline::text("Nothing contains "),
        Inline::quoted(query.split_whitespace().collect::<Vec<_>>().join(" ")),
        Inline::text("."),
    ])];
    let mut similar: Vec<_> = words.iter().flat_map(|word| index.similar_words(word)).collect();
    similar.dedup();
    let link = |word: &&str| {
        let link = Inline::Link(LinkTarget::Search((*word).to_owned()), vec![Inline::quoted((*word).to_owned())]);
        [Inline::text(", "), link]
    };
    if !similar.is_empty() {
        let links = similar.iter().flat_map(link).skip(1);
        blocks.push(Block::Paragraph([Inline::text("Did you mean: ")].into_iter().chain(links).collect()));
    }
    let mut methods = index.methods_with_any(&words);
    methods.sort_by_key(|(weight, at)| (u32::MAX - weight, *at));
    methods.truncate(MAX_SUGGESTIONS);
    if methods.is_empty() {
        let modules = 0..pages.method_ranges.len().min(MAX_SUGGESTIONS);
        let mut items: Vec<_> = modules.map(|module| module_list_item(pages, module)).collect();
        let contents = pages.page_link(PageId::Contents { part: 0 });
        items.push(ListItem::new(vec![Inline::Link(contents, vec![Inline::text("All methods and modules")])]));
        blocks.push(Block::heading("suggestions", "What the API has"));
        blocks.push(Block::List(items));
    } else {
        let lines = methods.iter().map(|(_, at)| method_line(pages.method_entry(*at)));
        blocks.push(Block::heading("suggestions", "Methods with some of the words"));
        blocks.push(Block::Methods(lines.collect()));
    }
    blocks
}

/// Returns the settings of the API, the documents, and the errors of definitions that contain all words of a query.
fn other_results<'a>(pages: &'a Pages, queries: &[Vec<String>]) -> Vec<ListItem<'a>> {
    let queries: Vec<_> = queries.iter().filter(|words| words.iter().any(|word| word.len() >= MIN_WORD_LEN)).collect();
    let contains_all = |text: &str| {
        let text = text.to_lowercase();
        queries.iter().any(|words| words.iter().all(|word| text.contains(word.as_str())))
    };
    let section = |id: &'static str| LinkTarget::Page(String::new(), Some(id.into()));
    let facts = contents_facts(pages).into_iter();
    let facts = facts.filter(|(label, fact)| contains_all(&format!("{label} {}", plain_text(fact))));
    let facts = facts.map(|(label, fact)| {
        let link = Inline::Link(section("settings"), vec![Inline::text(label)]);
        ListItem::new(vec![link, Inline::text(": "), Inline::quoted(plain_text(&fact))])
    });
    let authentication = (section("call"), "How to call it", "authentication with a credential, key or token");
    let documents = [authentication].into_iter().chain(documents(pages));
    let documents = documents.filter(|(_, name, info)| contains_all(&format!("{name} {info}"))).map(document_item);
    let codes = DiagnosticCode::ALL.iter().filter(|code| contains_all(code.name())).map(|code| {
        let target = LinkTarget::Page(pages.page_path(PageId::Diagnostics), Some(code.name().into()));
        let link = Inline::Link(target, vec![Inline::code(code.name())]);
        ListItem::new(vec![link, Inline::text(": an error of definitions")])
    });
    facts.chain(find_limits(pages, &contains_all)).chain(documents).chain(codes).collect()
}

fn error_item<'a>(code: ErrorCode) -> ListItem<'a> {
    let row = code.row();
    let link = errors_link(Some(row.name));
    ListItem::new(vec![
        Inline::Link(link, vec![Inline::code(row.name)]),
        Inline::text(format!(" (status {}): {}", row.status, code.title())),
    ])
}

// The parameters, outputs and errors of methods that a search finds.

/// The maximum number of methods whose entries are searched, which limits the time of a search.
const MAX_SEARCHED_METHODS: usize = 1_000;

#[derive(Debug)]
struct FoundMember<'a> {
    method: usize,
    /// The URL fragment of the entry on the page of the method.
    fragment: String,
    name: &'a str,
    /// What the entry is, such as `path` for a parameter in the path.
    kind: &'static str,
    info: &'a str,
}

/// The entries that contain all words, which are in lower case: first those whose name is a word, then those whose name
/// contains a word. Of equal entries of several methods, only the first is returned.
fn find_members<'a>(
    pages: &'a Pages,
    methods: &[(u32, usize)],
    queries: &[Vec<String>],
    limit: usize,
) -> Vec<FoundMember<'a>> {
    let mut found: Vec<(u8, FoundMember<'_>)> = Vec::new();
    for (_, index) in methods.iter().take(MAX_SEARCHED_METHODS) {
        for member in members_of(pages, *index) {
            let (name, info) = (member.name.to_lowercase(), member.info.to_lowercase());
            let is_found = |words: &&Vec<String>| words.iter().all(|word| name.contains(word) || info.contains(word));
            let Some(words) = queries.iter().find(is_found) else { continue };
            let rank = match () {
                () if words.contains(&name) => 0,
                () if words.iter().any(|word| name.contains(word)) => 1,
                () => 2,
            };
            let is_same = |other: &FoundMember<'_>| {
                (other.name, other.kind, other.info) == (member.name, member.kind, member.info)
            };
            if !found.iter().any(|(_, other)| is_same(other)) {
                found.push((rank, member));
            }
        }
        if found.len() >= limit {
            break;
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.truncate(limit);
    found.into_iter().map(|(_, member)| member).collect()
}

fn members_of(pages: &Pages, method: usize) -> impl Iterator<Item = FoundMember<'_>> {
    let definition = pages.method_entry(method).method;
    let parameters = definition.parameters.iter().map(move |parameter| FoundMember {
        method,
        fragment: fragment("parameter", &parameter.name),
        name: parameter.request_name(),
        kind: location_name(parameter.from),
        info: &parameter.info,
    });
    let outputs = definition.outputs.iter().filter(|output| output.place != OutputPlace::Status);
    let outputs = outputs.map(move |output| FoundMember {
        method,
        fragment: if definition.options.download { "response".into() } else { fragment("output", &output.name) },
        name: output_name(output),
        kind: if output.place == OutputPlace::Body { "output" } else { "response header" },
        info: &output.info,
    });
    let errors = definition.errors.iter().map(move |error| FoundMember {
        method,
        fragment: "errors".into(),
        name: &error.name,
        kind: "error",
        info: &error.info,
    });
    parameters.chain(outputs).chain(errors)
}

fn member_item<'a>(pages: &'a Pages, member: &FoundMember<'a>) -> ListItem<'a> {
    let entry = pages.method_entry(member.method);
    let target = LinkTarget::Page(method_page_path(&entry.method.id), Some(member.fragment.clone().into()));
    let mut inlines = vec![
        Inline::Link(target, vec![Inline::code(member.name)]),
        Inline::text(format!(" ({}) of ", member.kind)),
        Inline::text(format!("{} ", entry.method.http.as_str())),
        Inline::code(entry.uri),
        Inline::text(": "),
    ];
    inlines.extend(parse_line(first_line(member.info)));
    ListItem::new(inlines)
}

// Words that many readers and definitions use for the same thing. A search finds either of them.

/// Each phrase, with the phrase that a search also finds. A phrase of two words finds texts that contain both words, so
/// that `log in` also finds `login`, and `Logs a user in`.
const SYNONYMS: &[(&str, &str)] = &[
    ("sign in", "log in"),
    ("signin", "log in"),
    ("authenticate", "log in"),
    ("log in", "sign in"),
    ("login", "sign in"),
    ("login", "log in"),
    ("sign out", "log out"),
    ("signout", "log out"),
    ("log out", "sign out"),
    ("logout", "sign out"),
    ("logout", "log out"),
    ("sign up", "register"),
    ("signup", "register"),
    ("create account", "register"),
    ("register", "sign up"),
    ("delete", "remove"),
    ("remove", "delete"),
    ("edit", "update"),
    ("edit", "change"),
    ("modify", "change"),
    ("update", "change"),
    ("add", "create"),
    ("new", "create"),
    ("find", "search"),
    ("image", "picture"),
    ("photo", "picture"),
    ("avatar", "picture"),
    ("picture", "image"),
    ("upload", "file"),
    ("attachment", "file"),
    ("auth", "log in"),
    ("auth", "token"),
    ("authentication", "log in"),
    ("authorization", "permission"),
    ("api key", "token"),
    ("account", "user"),
    ("pagination", "page"),
    ("paginate", "page"),
    ("paging", "page"),
    ("sort", "order"),
    ("sorting", "order"),
    ("filter", "search"),
    ("fetch", "return"),
    ("get all", "list"),
    ("rate limit", "too many requests"),
    ("rate limits", "too many requests"),
    ("rate limiting", "too many requests"),
    ("throttle", "too many requests"),
    ("throttling", "too many requests"),
    ("quota", "too many requests"),
];

/// Returns the words of a query in lower case, and the same words with one phrase replaced by its synonym.
fn with_synonyms(words: &[String]) -> Vec<Vec<String>> {
    let replaced = SYNONYMS.iter().filter_map(|(phrase, other)| {
        let phrase: Vec<_> = phrase.split(' ').collect();
        let at = words.windows(phrase.len()).position(|part| part == phrase)?;
        let (before, after) = (&words[..at], &words[at + phrase.len()..]);
        Some([before, &other.split(' ').map(str::to_owned).collect::<Vec<_>>(), after].concat())
    });
    [words.to_vec()].into_iter().chain(replaced).collect()
}
