//! Tests the pages of schemas: what they say about values, and about the users of a schema.

use serde_json::{Value, json};

use super::{page_in_both_formats, render_pages};

#[test]
fn pages_describe_the_members_that_an_object_allows_and_the_schema_of_each_tag() {
    let field = |term: &str| json!({ "info": "I", "type": term });
    let pages = render_pages(&json!({
        "schemas": {
            "Card": { "info": "A card", "fields": { "number": field("string") }, "closed": true },
            "Cash": { "info": "Cash", "fields": { "coins": field("?int") } },
            "Payment": { "info": "P", "type": "union", "tag": "by", "of": { "card": "Card", "cash": "Cash" } }
        },
        "/": { "a": { "POST": { "info": "I", "in": { "p": field("Payment") } } } }
    }));
    for (path, words) in [
        ("schemas/Payment", "an object whose by is card (Card), or cash (Cash)"),
        ("methods/a.post", "an object whose by is card (Card), or cash (Cash)"),
        ("schemas/Card", "an object without other members"),
    ] {
        let (html, markdown) = page_in_both_formats(&pages, path);
        assert!(html.contains(words) && markdown.contains(words), "{path}: {markdown}");
    }
    let (_, cash) = page_in_both_formats(&pages, "schemas/Cash");
    assert!(!cash.contains("without other members"), "{cash}");
}

/// The page of a union and that of a method with a union describe each type, with its fields and an example.
#[test]
fn pages_describe_the_fields_of_each_type_of_a_union() {
    let field = |term: &str| json!({ "info": "I", "type": term });
    let home = json!({ "type": "object", "fields": { "street": field("string") } });
    let ship = json!({ "info": "To where", "type": "union", "tag": "to", "of": { "home": home, "store": "Store" } });
    let pages = render_pages(&json!({
        "schemas": {
            "Card": { "info": "A card", "fields": { "number": field("string"), "by": field("const(card)") } },
            "Cash": { "info": "Cash", "fields": { "coins": field("?int") } },
            "Store": { "info": "A shop", "fields": { "shop": field("id") } },
            "Payment": { "info": "P", "type": "union", "tag": "by", "of": { "card": "Card", "cash": "Cash" } },
            "Mixed": { "info": "M", "type": "union", "of": ["Store", "null", "array<string>"] },
            "Plain": { "info": "N", "type": "union", "of": ["int", "null"] }
        },
        "/": { "a": {
            "GET": { "info": "I", "in": { "GET@plain": field("Plain") } },
            "POST": { "info": "I", "in": { "pay": field("array<Payment>"), "ship": ship } }
        } }
    }));
    for (path, branches, names) in [
        ("schemas/Payment", &["card", "cash"][..], &["by", "number", "by", "coins"][..]),
        ("schemas/Mixed", &["Store"], &["shop"]),
        (
            "methods/a.post",
            &["card", "cash", "home", "store"],
            &["by", "number", "by", "coins", "to", "street", "to", "shop"],
        ),
    ] {
        let (html, markdown) = page_in_both_formats(&pages, path);
        let of_branches: String =
            html.split("<div class=\"union\">").skip(1).map(|part| part.split("</div>").next().unwrap()).collect();
        let found = |start: &str, end: &str| {
            let texts = of_branches.split(start).skip(1).map(|behind| behind.split(end).next().unwrap().to_owned());
            texts.collect::<Vec<_>>()
        };
        assert_eq!(found("<p class=\"branch-name\"><code><bdi>", "</bdi>"), branches, "{path}: {html}");
        assert_eq!(found("<p class=\"name\"><code><bdi>", "</bdi>"), names, "{path}: {html}");
        assert!(found("<figcaption>Example</figcaption>", "</pre>").len() >= branches.len(), "{path}: {html}");
        assert!(
            branches.iter().all(|branch| markdown.contains(&format!(" `{branch}`: an object"))),
            "{path}: {markdown}"
        );
    }
    let (html, _) = page_in_both_formats(&pages, "schemas/Payment");
    assert!(html.contains("&#34;by&#34;: &#34;cash&#34;"), "{html}");
    // The words of a field describe a union of such types completely, but the page of a schema is about its types.
    let (html, markdown) = page_in_both_formats(&pages, "schemas/Plain");
    let (_, union) = html.split_once("<div class=\"union\">").unwrap();
    for text in [
        "<p class=\"branch-name\"><bdi>a whole number of 64 bits</bdi></p>",
        "<bdi>always null</bdi>",
        "<figcaption>Example</figcaption>",
    ] {
        assert!(union.contains(text), "{text}: {html}");
    }
    assert!(markdown.contains("## Types"), "{markdown}");
    let (html, _) = page_in_both_formats(&pages, "methods/a.get");
    assert!(!html.contains("class=\"union\""), "{html}");
}

/// Parameters, members and outputs that are required have the mark `required`; others have no mark.
#[test]
fn required_fields_have_the_same_mark_everywhere() {
    let field = |term: &str| json!({ "info": "I", "type": term });
    let object =
        |term: &str| json!({ "info": "I", "type": term, "fields": { "in": field("int"), "not": field("?int") } });
    let pages = render_pages(&json!({ "/": { "a": { "POST": {
        "info": "I",
        "in": { "one": object("object"), "two": object("?object") },
        "out": { "three": object("object"), "four": object("?object") }
    } } } }));
    let (html, markdown) = page_in_both_formats(&pages, "methods/a.post");
    let html = html.split("<h2 id=\"errors\"").next().unwrap();
    let names = html.split("<p class=\"name\"><code><bdi>").skip(1).map(|behind| behind.split("</p>").next().unwrap());
    let marked = names.map(|name| (name.split('<').next().unwrap(), name.contains("class=\"required\">required<")));
    let expected = [("one", true), ("in", true), ("not", false), ("two", false), ("in", true), ("not", false)];
    let of_outputs = [("three", true), ("in", true), ("not", false), ("four", false), ("in", true), ("not", false)];
    assert_eq!(marked.collect::<Vec<_>>(), [expected, of_outputs].concat());
    assert!(!html.contains("optional") && !markdown.contains("optional"), "{markdown}");
}

#[test]
fn pages_list_the_schemas_that_extend_a_schema() {
    let field = |term: &str| json!({ "info": "I", "type": term });
    let pages = render_pages(&json!({
        "schemas": {
            "Base": { "info": "B", "fields": { "id": field("int") } },
            "More": { "info": "M", "extends": ["Base"], "fields": { "name": field("string") } }
        },
        "/": { "a": { "GET": { "info": "I", "out": { "more": field("More") } } } }
    }));
    let (_, base) = page_in_both_formats(&pages, "schemas/Base");
    assert!(base.contains("[`More`](../schemas/More.md) extends it"), "{base}");
    let (_, more) = page_in_both_formats(&pages, "schemas/More");
    assert!(more.contains("Extends: [`Base`](../schemas/Base.md)"), "{more}");
}

#[test]
fn names_with_brackets_lead_to_a_text_also_in_recursive_types() {
    let field = |term: &str| json!({ "info": "I", "type": term });
    let pages = render_pages(&json!({
        "schemas": {
            "Tree": { "info": "T", "fields": { "parent": field("?Tree"), "name": field("string") } },
            "Lists": { "info": "L", "type": "union", "of": ["array<Lists>", "null"] }
        },
        "/": { "a": { "GET": { "info": "I", "in": { "GET@tree": field("Tree"), "GET@lists": field("?Lists") } } } }
    }));
    let (_, page) = page_in_both_formats(&pages, "methods/a.get");
    assert!(page.contains("tree[name]"), "{page}");
    assert!(!page.contains("lists["), "{page}");
}

/// The example of an error is one that a request to the method can cause.
#[test]
fn the_example_of_an_error_names_a_parameter_that_can_be_wrong() {
    let get = |uri: &str, parameter: Value| json!({ "GET": { "info": "I", "in": { (uri): parameter } } });
    let pages = render_pages(&json!({ "/": {
        "default": get("GET@p", json!({ "info": "I", "type": "int", "name": "p", "default": 1 })),
        "text": get("GET@p", json!({ "info": "I", "type": "?string", "name": "p" })),
        "segment/{p}": get("{p}", json!({ "info": "I", "type": "id", "name": "p" })),
        "position": get("URL#0", json!({ "info": "I", "type": "id", "name": "p" })),
        "needed": get("GET@p", json!({ "info": "I", "type": "int", "name": "p" }))
    } }));
    for (id, error, can_miss) in [
        ("default", "invalid parameter: p", false),
        ("text", "malformed request", false),
        ("segment.{p}", "invalid parameter: p", false),
        ("needed", "missing parameter: p", true),
        ("position", "invalid parameter: p", true),
    ] {
        let (_, page) = page_in_both_formats(&pages, &format!("methods/{id}.get"));
        let (_, example) = page.split_once("Example of an error").unwrap_or_else(|| panic!("{page}"));
        let example = example.split("```").nth(1).unwrap();
        assert!(example.contains(error), "{id}: {example}");
        assert_eq!(page.contains("missing-parameter"), can_miss, "{id}: {page}");
    }
}

/// Paths in the tree are broken after slashes, not inside of names.
#[test]
fn the_tree_has_break_opportunities_after_the_slashes_of_paths() {
    let pages = render_pages(&json!({ "/": { "article/picture/small": { "GET": { "info": "I" } } } }));
    let (html, _) = page_in_both_formats(&pages, "");
    assert!(html.contains("<code><bdi>/article/<wbr>picture/<wbr>small</bdi></code>"), "{html}");
}
