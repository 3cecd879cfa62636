//! What is found for words: modules and methods that have all of them somewhere, the best first.

use super::contents::{module_item, trail};
use super::sheet::{Block, Sheet, Span};
use super::words::{count, line, wire_name};
use super::{Entry, Pages};

/// The most methods, and the most modules, that are shown.
const MOST_SHOWN: usize = 100;
/// The most words that are looked for.
const MOST_WORDS: usize = 16;

/// What words are looked for in: in small letters.
#[derive(Debug)]
pub(super) struct Index {
    modules: Vec<String>,
    methods: Vec<Texts>,
}

/// What is known of a method, by how much it says that a word stands there.
#[derive(Debug)]
struct Texts {
    /// Id and URI.
    names: String,
    /// What it does.
    info: String,
    /// Its module, parameters, outputs and errors.
    rest: String,
}

impl Texts {
    /// How well a word is met; none where it is not.
    fn weight(&self, word: &str) -> Option<u32> {
        let weights = [(&self.names, 9), (&self.info, 3), (&self.rest, 1)];
        let weight = weights.into_iter().map(|(text, weight)| if text.contains(word) { weight } else { 0 }).sum();
        (weight > 0).then_some(weight)
    }
}

impl Index {
    fn new(pages: &Pages) -> Self {
        let modules =
            pages.api.modules.iter().map(|own| texts([own.name.as_str()].into_iter().chain(own.info.as_deref())));
        let methods = pages.entries(0..pages.methods.len()).map(|(_, entry)| Self::method(entry));
        Self { modules: modules.collect(), methods: methods.collect() }
    }

    fn method(Entry { module, uri, method }: Entry<'_>) -> Texts {
        let parameters = method.parameters.iter().flat_map(|own| [wire_name(own), &own.name, &own.info]);
        let outputs = method.outputs.iter().flat_map(|own| [own.name.as_str(), &own.info]);
        let errors = method.errors.iter().flat_map(|own| [own.name.as_str(), &own.info]);
        let rest = [module.name.as_str()].into_iter().chain(parameters).chain(outputs).chain(errors);
        Texts {
            names: texts([method.id.as_str(), method.http.as_str(), uri].into_iter()),
            info: method.info.to_lowercase(),
            rest: texts(rest),
        }
    }
}

fn texts<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.fold(String::new(), |mut texts, text| {
        texts.extend([&text.to_lowercase(), "\n"]);
        texts
    })
}

/// The page of what is found.
pub(super) fn sheet<'a>(pages: &'a Pages, query: &'a str) -> Sheet<'a> {
    let blocks = match Found::new(pages, query) {
        Some(found) => found.blocks(pages),
        None => vec![Block::own(
            "Search for words of a path, an id, a description, a parameter: what has all of them is found.",
        )],
    };
    Sheet {
        path: "search".to_owned(),
        name: "Search".into(),
        heading: vec![Span::own("Search")],
        trail: vec![trail(pages)],
        query,
        blocks,
    }
}

/// The page in place of one that is not there, at this path: what is found for the words of its name.
pub(super) fn missing<'a>(pages: &'a Pages, path: &str, words: &'a str) -> Sheet<'a> {
    let mut blocks = vec![Block::own("Nothing of this API is here. What there is, the contents and the search tell.")];
    if let Some(found) = Found::new(pages, words).filter(|found| !found.is_empty()) {
        blocks.extend(found.blocks(pages));
    }
    let heading = "There is no such page";
    Sheet {
        path: path.to_owned(),
        name: heading.into(),
        heading: vec![Span::own(heading)],
        trail: vec![trail(pages)],
        query: words,
        blocks,
    }
}

/// The words of the name of a page at a path.
pub(super) fn words_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What is found: modules, and methods with how well they meet the words.
struct Found {
    modules: Vec<usize>,
    methods: Vec<(u32, usize)>,
}

impl Found {
    /// What is found for these words; none without words.
    fn new(pages: &Pages, query: &str) -> Option<Self> {
        let index = pages.index.get_or_init(|| Index::new(pages));
        let words: Vec<String> = query.split_whitespace().take(MOST_WORDS).map(str::to_lowercase).collect();
        if words.is_empty() {
            return None;
        }
        let modules = (0..index.modules.len())
            .filter(|module| words.iter().all(|word| index.modules[*module].contains(word.as_str())))
            .collect();
        let weight = |texts: &Texts| words.iter().map(|word| texts.weight(word)).sum::<Option<u32>>();
        let weighed = index.methods.iter().enumerate().filter_map(|(at, texts)| Some((weight(texts)?, at)));
        let mut methods: Vec<(u32, usize)> = weighed.collect();
        // Of two that are met alike, the one of the shorter path, then the first in the definition.
        methods.sort_by_key(|(weight, at)| (u32::MAX - weight, pages.entry(*at).uri.len(), *at));
        Some(Self { modules, methods })
    }

    fn is_empty(&self) -> bool {
        self.modules.is_empty() && self.methods.is_empty()
    }

    fn blocks<'a>(&self, pages: &'a Pages) -> Vec<Block<'a>> {
        let Self { modules, methods } = self;
        let mut counted = count(methods.len(), "method", "methods");
        if !modules.is_empty() {
            counted = format!("{} and {counted}", count(modules.len(), "module", "modules"));
        }
        let all = if modules.len().max(methods.len()) > MOST_SHOWN {
            format!("Found {counted}; the first {MOST_SHOWN} are shown.")
        } else {
            format!("Found {counted}.")
        };
        let mut blocks = vec![Block::own(all)];
        if !modules.is_empty() {
            blocks.push(Block::heading("modules", "Modules"));
            blocks.push(Block::List(modules.iter().take(MOST_SHOWN).map(|own| module_item(pages, *own)).collect()));
        }
        if !methods.is_empty() {
            blocks.push(Block::heading("methods", "Methods"));
            let shown = methods.iter().take(MOST_SHOWN);
            blocks.push(Block::Methods(shown.map(|(_, at)| line(pages, *at, pages.entry(*at))).collect()));
        }
        blocks
    }
}
