//! Tests argument types that are maps, flattened structs, or empty: the values that they have for the arguments of a
//! call.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::fields::assert_arguments;

#[test]
fn parameters_become_maps_and_flattened_structs() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        amount: i64,
        #[serde(flatten)]
        page: PageRange,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct PageRange {
        from: u32,
        count: Option<u8>,
    }
    let parameters = json!({
        "amount": { "info": "One", "type": "int" },
        "from": { "info": "Where to begin", "type": "id" },
        "count": { "info": "How many", "type": "?int(1,100)" }
    });
    assert_arguments::<Parameters>(
        &parameters,
        &[
            (
                json!({ "amount": 1, "from": 2, "count": 3 }),
                "Parameters { amount: 1, page: PageRange { from: 2, count: Some(3) } }",
            ),
            (json!({ "amount": 1, "from": 2 }), "Parameters { amount: 1, page: PageRange { from: 2, count: None } }"),
        ],
    );
    assert_arguments::<BTreeMap<String, Json>>(
        &parameters,
        &[(json!({ "amount": 1, "from": 2 }), r#"{"amount": Number(1), "from": Number(2)}"#)],
    );
    assert_arguments::<BTreeMap<String, Option<i64>>>(
        &parameters,
        &[(json!({ "amount": 1, "from": 2, "count": null }), r#"{"amount": Some(1), "count": None, "from": Some(2)}"#)],
    );
    assert_arguments::<Json>(
        &parameters,
        &[(json!({ "amount": 1, "from": 2 }), r#"Object {"amount": Number(1), "from": Number(2)}"#)],
    );
}

#[test]
fn names_of_object_members_become_integer_map_keys() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        counts: HashMap<u8, i64>,
    }
    let fields = json!({ "7": { "info": "Of seven", "type": "int" } });
    let parameters = json!({ "counts": { "info": "How often", "type": "object", "fields": fields } });
    assert_arguments::<Parameters>(&parameters, &[(json!({ "counts": { "7": 3 } }), "Parameters { counts: {7: 3} }")]);
}

#[test]
fn unit_types_and_empty_structs_ignore_all_arguments() {
    #[derive(Debug, Deserialize)]
    struct UnitStruct;
    #[derive(Debug, Deserialize)]
    struct EmptyStruct {}
    let parameters = json!({ "a": { "info": "One", "type": "?int" } });
    assert_arguments::<()>(&parameters, &[(json!({ "a": 1 }), "()"), (json!({}), "()")]);
    assert_arguments::<UnitStruct>(&parameters, &[(json!({ "a": 1 }), "UnitStruct")]);
    assert_arguments::<EmptyStruct>(&parameters, &[(json!({ "a": 1 }), "EmptyStruct")]);
}
