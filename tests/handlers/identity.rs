//! Tests identities: the data that programs attach to an identity, and the credentials in the header fields of a
//! request.

use rulebook::http::{HeaderName, HeaderValue, Method, Uri};
use rulebook::{ApiError, Args, Context, Head, Identity, Module};
use serde_json::{Value as Json, json};

use super::{block_on, build, files};

struct UserId(u64);

async fn describe_caller(_: Args<()>, context: Context) -> Result<Json, ApiError> {
    let identity = context.identity();
    let user = identity.and_then(|identity| identity.data::<UserId>()).map(|id| id.0);
    Ok(json!({ "name": identity.map(Identity::name), "user": user }))
}

async fn call_as_two_callers(_: Args<()>, context: Context) -> Result<Json, ApiError> {
    let same = context.call("who.get").send().await.outputs()?;
    let other = context.call("who.get").scope(["admin"]).send().await.outputs()?;
    Ok(json!({ "same": same, "other": other }))
}

#[test]
fn handlers_can_read_the_data_of_an_identity() {
    let method = || json!({ "GET": { "info": "Who calls" } });
    let definition = files("site", &json!({ "/": { "who": method(), "both": method() } }));
    let engine =
        build(definition, [Module::new("site").get("/who", describe_caller).get("/both", call_as_two_callers)]);
    let ada = Identity::new("ada", ["reader"]).with(UserId(7)).with("other data");
    let known = json!({ "name": "ada", "user": 7 });
    let response = block_on(engine.call("who.get").identity(ada.clone()).send());
    assert_eq!(response.outputs().unwrap(), known);
    let response = block_on(engine.call("both.get").identity(ada).send());
    assert_eq!(response.outputs().unwrap(), json!({ "same": known, "other": known }));
    let response = block_on(engine.call("who.get").send());
    assert_eq!(response.outputs().unwrap(), json!({ "name": null, "user": null }));
}

#[test]
fn an_identity_holds_one_value_of_each_data_type() {
    let first = Identity::new("ada", [""; 0]).with(UserId(1)).with("text");
    let second = first.clone().with(UserId(2));
    assert_eq!(first.data::<UserId>().map(|id| id.0), Some(1), "clones do not share later changes");
    assert_eq!(second.data::<UserId>().map(|id| id.0), Some(2));
    assert_eq!(second.data::<&str>(), Some(&"text"));
    assert!(second.data::<String>().is_none());
    assert!(!format!("{second:?}").contains("text"));
}

fn head_with_fields(fields: &[(&'static str, &[u8])]) -> Head {
    let head = Head::new(Method::GET, Uri::from_static("/"));
    fields.iter().fold(head, |head, (name, value)| {
        head.with_header(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
    })
}

#[test]
fn names_of_header_fields_are_case_insensitive() {
    let head = head_with_fields(&[("x-name", b"first"), ("x-name", b"second"), ("x-other", b"\xff")]);
    assert_eq!((head.header("X-Name"), head.header("x-name")), (Some("first"), Some("first")));
    assert_eq!(head.header_values("X-NAME").count(), 2);
    assert_eq!((head.header("X-Other"), head.header("X-Missing"), head.header("not a name")), (None, None, None));
}

#[test]
fn the_bearer_token_is_read_if_it_is_the_only_credential() {
    let cases: &[(&[&[u8]], Option<&str>)] = &[
        (&[b"Bearer abc"], Some("abc")),
        (&[b"bEARER   abc  "], Some("abc")),
        (&[b"Bearer"], Some("")),
        (&[b"Bearer a b"], None),
        (&[b"Bearer \xc3\xa9"], None),
        (&[b"Basic abc"], None),
        (&[b"Bearerabc"], None),
        (&[b""], None),
        (&[b"Bearer abc", b"Bearer abc"], None),
        (&[b"Basic x", b"Bearer abc"], None),
        (&[], None),
    ];
    for (fields, expected) in cases {
        let fields: Vec<_> = fields.iter().map(|value| ("authorization", *value)).collect();
        assert_eq!(head_with_fields(&fields).bearer(), *expected, "{fields:?}");
    }
}

#[test]
fn cookies_are_found_by_name() {
    let head = head_with_fields(&[("cookie", b"a=1; session=\"x y\"; b=\xff"), ("cookie", b"session=z; c; =d; e=f=g")]);
    assert_eq!((head.cookie("a"), head.cookie("session"), head.cookie("e")), (Some("1"), Some("x y"), Some("f=g")));
    assert_eq!((head.cookie("b"), head.cookie("c"), head.cookie("Session")), (None, None, None));
}
