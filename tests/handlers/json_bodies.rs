//! Argument types that ignore errors of their values. A value that the definition does not allow is refused, whatever
//! the type of its field makes of it.

use std::fmt;

use rulebook::{ApiError, Args, Context, Module};
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{build, files_with_parameters};
use crate::client::{Request, TestServer};

/// Deserializes a value, or its default if that fails.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(T::deserialize(deserializer).unwrap_or_default())
}

#[derive(Deserialize, Serialize, Default)]
struct Place {
    town: String,
    #[serde(default, deserialize_with = "or_default")]
    floors: Vec<u8>,
}

/// The number of items of an array; those that cannot be deserialized are not counted.
#[derive(Serialize, Default)]
struct Count(usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl<'de> Visitor<'de> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array or object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while let Ok(Some(IgnoredAny)) = items.next_element() {
                    count += 1;
                }
                Ok(Count(count))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while let Ok(Some((IgnoredAny, IgnoredAny))) = members.next_entry() {
                    count += 1;
                }
                Ok(Count(count))
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

#[derive(Deserialize, Serialize)]
struct Lenient {
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    place: Place,
}

#[derive(Deserialize, Serialize)]
struct Counted {
    tags: Count,
    place: Option<Count>,
}

async fn echo<T: Serialize + Send>(Args(arguments): Args<T>, _: Context) -> Result<T, ApiError> {
    Ok(arguments)
}

/// Returns the statuses of the responses to these bodies, of a handler whose arguments have the type `T`.
fn statuses<T: DeserializeOwned + Serialize + Send + 'static>(bodies: &[&str]) -> Vec<u16> {
    let place = json!({ "town": { "info": "T", "type": "string(1,9)" },
        "floors": { "info": "F", "type": "?array<int(0,9)>", "max": 2 } });
    let files = files_with_parameters(&json!({
        "tags": { "info": "T", "type": "array<string(2,4)>", "max": 3 },
        "place": { "info": "P", "type": "?object", "fields": place, "closed": true } }));
    let engine = build(files, [Module::new("shop").post("/it", echo::<T>)]);
    let server = TestServer::start(&engine);
    let mut connection = server.connect();
    let request = |body: &&str| Request::new("POST", "/it").body("application/json", *body);
    bodies.iter().map(|body| connection.send(&request(body)).status).collect()
}

#[test]
fn types_that_ignore_errors_get_only_valid_values() {
    let valid = [r#"{"tags": ["abc"]}"#, r#"{"tags": [], "place": {"town": "x", "floors": [1, 2]}}"#];
    let invalid = [
        r#"{"tags": ["!"]}"#,
        r#"{"tags": ["abc", "!"]}"#,
        r#"{"tags": ["abc", "abc", "abc", "abc"]}"#,
        r#"{"tags": ["!"}"#,
        r#"{"tags": ["abc",]}"#,
        r#"{"tags": {"abc": "abc"}}"#,
        r#"{"tags": null}"#,
        r#"{"tags": [], "place": {}}"#,
        r#"{"tags": [], "place": {"town": ""}}"#,
        r#"{"tags": [], "place": {"town": "x", "other": 1}}"#,
        r#"{"tags": [], "place": {"town": "x", "floors": [1, 2, 3]}}"#,
        r#"{"tags": [], "place": {"town": "x", "floors": [10]}}"#,
        r#"{"tags": [], "place": {"town": "x", "floors": [1}"#,
    ];
    for statuses in [statuses::<Lenient>, statuses::<Counted>] {
        assert_eq!(statuses(&valid), [200, 200]);
        for body in invalid {
            assert_eq!(statuses(&[body]), [400], "{body}");
        }
    }
}
