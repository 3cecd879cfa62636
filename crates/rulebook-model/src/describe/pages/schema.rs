//! The pages of schemas, which are types with a name: the page of each schema, and the pages that list all schemas.

use super::document::{Block, Inline, ListItem, PageDocument, parse_blocks, parse_line};
use super::fields::{branches, pretty_json, schema_fields, schema_link, schema_links};
use super::phrases::{count_with_noun, first_line, links_to_parts, method_line};
use super::{PageId, Pages};
use crate::describe::example;
use crate::describe::in_words::type_in_words;
use crate::model::{Method, Schema};
use crate::types::Check;

const SCHEMAS_PER_PAGE: usize = 500;
/// The maximum number of methods, and of schemas, that the page of a schema lists as its users.
const MAX_USERS: usize = 100;

#[derive(Debug, Clone, Copy)]
pub(super) struct SchemaPosition {
    /// The index of the API module in the API; `None` if the schema belongs to the whole API.
    module_index: Option<usize>,
    schema_index: usize,
}

impl Pages {
    /// Returns the positions of all schemas, sorted by their keys. Schemas of several API modules that have the same
    /// key are equal, so that only the first is included.
    pub(super) fn find_schemas(&self) -> Vec<SchemaPosition> {
        let modules = self.api.modules.iter().enumerate().map(|(index, module)| (Some(index), &module.schemas));
        let all = [(None, &self.api.schemas)].into_iter().chain(modules);
        let positions = all.flat_map(|(module_index, schemas)| {
            (0..schemas.len()).map(move |schema_index| SchemaPosition { module_index, schema_index })
        });
        let mut positions: Vec<_> = positions.collect();
        positions.sort_by_key(|position| &self.schema_at(*position).key);
        positions.dedup_by_key(|position| &self.schema_at(*position).key);
        positions
    }

    fn schema_at(&self, position: SchemaPosition) -> &Schema {
        let module = position.module_index.map(|index| &self.api.modules[index]);
        &module.map_or(&self.api.schemas, |module| &module.schemas)[position.schema_index]
    }

    /// Returns the schema of [`PageId::Schema`].
    pub(super) fn schema(&self, index: usize) -> &Schema {
        self.schema_at(self.schemas[index])
    }

    pub(super) fn count_schema_parts(&self) -> usize {
        self.schemas.len().div_ceil(SCHEMAS_PER_PAGE)
    }
}

pub(super) fn schemas_page(pages: &Pages, part: usize) -> PageDocument<'_> {
    let start = part * SCHEMAS_PER_PAGE;
    let end = (start + SCHEMAS_PER_PAGE).min(pages.schemas.len());
    let mut blocks = vec![
        Block::paragraph("Types with a name, which the parameters and responses of methods contain."),
        Block::List((start..end).map(|index| schema_item(pages, index)).collect()),
    ];
    blocks.extend(links_to_parts(pages, part, pages.count_schema_parts(), |part| PageId::Schemas { part }));
    PageDocument::new(pages, pages.page_path(PageId::Schemas { part }), "Schemas", blocks)
}

pub(super) fn schema_item(pages: &Pages, index: usize) -> ListItem<'_> {
    let schema = pages.schema(index);
    let link = Inline::Link(pages.page_link(PageId::Schema(index)), vec![Inline::code(&schema.key)]);
    ListItem::new([vec![link, Inline::text(": ")], parse_line(first_line(&schema.info))].concat())
}

pub(super) fn schema_page(pages: &Pages, index: usize) -> PageDocument<'_> {
    let schema = pages.schema(index);
    let check = &*schema.r#type.check;
    let mut blocks = parse_blocks(&schema.info);
    let mut facts = vec![("Values", vec![Inline::quoted(type_in_words(check))])];
    if let Some(module) = pages.schemas[index].module_index.map(|index| &pages.api.modules[index].name) {
        facts.push(("Module", vec![Inline::quoted(module)]));
    }
    // The check of a schema in the model is a reference to the schema.
    let content = check.referenced_schemas();
    let links = content.iter().flat_map(|named| schema_links(&*named.check));
    let separator = || Inline::text(", ");
    let links: Vec<_> = links
        .flat_map(|(target, name)| [separator(), Inline::Link(target, vec![Inline::code(name)])])
        .skip(1)
        .collect();
    if !links.is_empty() {
        facts.push(("Schemas", links));
    }
    let extended = schema.extends.iter().flat_map(|key| [separator(), link_to_schema(key)]).skip(1).collect::<Vec<_>>();
    if !extended.is_empty() {
        facts.push(("Extends", extended));
    }
    blocks.push(Block::Facts(facts));
    let example = example::schema_example(schema);
    let fields = schema_fields(check, example.as_ref());
    if !fields.is_empty() {
        blocks.push(Block::heading("fields", "Fields"));
        blocks.push(Block::Fields(fields));
    }
    let branches = branches(check, false);
    // The types of a union have examples of their own.
    let example = example.filter(|_| branches.is_empty() || schema.example.is_some());
    if !branches.is_empty() {
        blocks.push(Block::heading("types", "Types"));
        blocks.push(Block::Branches(branches));
    }
    if let Some(example) = example {
        blocks.push(Block::heading("example", "Example"));
        let text = pretty_json(&example).into();
        blocks.push(Block::Code { title: None, language: "json".into(), text, server: None });
    }
    blocks.push(Block::heading("used-by", "Used by"));
    blocks.extend(users(pages, &schema.key));
    let mut page = PageDocument::new(pages, pages.page_path(PageId::Schema(index)), "", blocks);
    page.title = schema.key.as_str().into();
    page.heading = vec![Inline::code(&schema.key)];
    page.breadcrumbs.push((pages.page_link(PageId::Schemas { part: 0 }), vec![Inline::text("Schemas")]));
    page
}

fn link_to_schema(key: &str) -> Inline<'_> {
    Inline::Link(schema_link(key), vec![Inline::code(key)])
}

fn users<'a>(pages: &'a Pages, key: &str) -> Vec<Block<'a>> {
    let refers = |check: &dyn Check| check.referenced_schemas().iter().any(|schema| schema.key() == key);
    let is_user = |method: &Method| method.argument_checks().chain(method.output_checks()).any(refers);
    let methods = pages.method_entries(0..pages.methods.len()).filter(|(_, entry)| is_user(entry.method));
    let mut methods: Vec<_> = methods.map(|(_, entry)| method_line(entry)).collect();
    // The check of a schema in the model is a reference to the schema, whose content refers to other schemas.
    let contains =
        |schema: &Schema| schema.r#type.check.referenced_schemas().iter().any(|schema| refers(&*schema.check));
    let extends = |schema: &Schema| schema.extends.iter().any(|base| base == key);
    let mut schemas: Vec<_> = (0..pages.schemas.len())
        .map(|index| pages.schema(index))
        .filter(|schema| contains(schema) || extends(schema))
        .map(|schema| {
            let mark = if extends(schema) { " extends it" } else { "" };
            ListItem::new(vec![link_to_schema(&schema.key), Inline::text(mark)])
        })
        .collect();
    let omitted = methods.len().saturating_sub(MAX_USERS) + schemas.len().saturating_sub(MAX_USERS);
    methods.truncate(MAX_USERS);
    schemas.truncate(MAX_USERS);
    let mut blocks = Vec::new();
    if methods.is_empty() && schemas.is_empty() {
        blocks.push(Block::paragraph("No method and no other schema uses this schema."));
    }
    blocks.extend((!methods.is_empty()).then_some(Block::Methods(methods)));
    blocks.extend((!schemas.is_empty()).then_some(Block::List(schemas)));
    if omitted > 0 {
        blocks.push(Block::paragraph(format!("{} not listed.", count_with_noun(omitted, "more is", "more are"))));
    }
    blocks
}
