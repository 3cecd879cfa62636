//! Tests of what people see of the location of stored files.

use rulebook::Unbound;
use rulebook::store::StoreError;
use serde_json::json;

use crate::client::engine;

#[test]
fn the_error_for_an_unknown_storage_names_the_missing_feature() {
    let message = |url: &str| StoreError::UnknownStorage(url.to_owned()).to_string();
    let message_of_s3 = "the program cannot store files at `s3://b/x`: it was built without the Cargo feature `s3` of the \
                         crate `rulebook-cli`";
    assert_eq!(message("s3://b/x"), message_of_s3);
    assert!(message("gs://b/x").ends_with("it was built without support for such URLs"));
}

#[test]
fn shown_urls_contain_no_secrets() {
    for (url, shown) in [
        ("gs://b", "gs://b"),
        ("gs://b/x@y", "gs://b/x@y"),
        ("gs://b:8080/x/y", "gs://b:8080/x/y"),
        ("azure://c?sig=SECRET", "azure://c"),
        ("azure://c/x?sig=SECRET#SECRET", "azure://c/x"),
        ("azure://c/x#SECRET?SECRET", "azure://c/x"),
        ("azure://c?mail=SECRET@b/x", "azure://c"),
        ("gs://ada@b/x@y", "gs://b/x@y"),
        ("gs://ada:SECRET@b/x?sig=SECRET", "gs://b/x"),
        ("gs://ada:SEC@RET@b:80/x", "gs://b:80/x"),
        ("gs://ada:SECRET@", "gs://"),
        ("gs://ada:SECRET/SECRET@b/x", "gs://"),
        ("gs://ada:SECRET?SECRET@b/x", "gs://"),
        ("gs://ada:SECRET#SECRET@b/x", "gs://"),
    ] {
        let definition = json!({ "/": { "a": { "GET": { "info": "Anything" } } } });
        let engine = engine(&[("a.json", definition)], |rulebook| rulebook.unbound(Unbound::Echo).files_folder(url));
        let files = engine.files().unwrap();
        assert_eq!(files.location(), shown, "{url}");
    }
}
