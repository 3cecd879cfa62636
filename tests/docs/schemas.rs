//! Tests the pages of schemas: what they say about values, and about the users of a schema.

use serde_json::json;

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
