//! Tests of environment variables in settings. The values are those of variables that cargo sets.

use rulebook::Rulebook;
use rulebook::handler_kind::expand_variables;
use rulebook::model::Span;

#[test]
fn variables_are_replaced() {
    let expand = |text| expand_variables(text, Span::default()).map_err(|error| error.message);
    let missing = |name: &str| Err(format!("the environment variable `{name}` is not set"));
    let syntax = Err("`${` must be followed by the name of an environment variable and `}`".to_owned());
    assert_eq!(expand("postgres://a:${CARGO_PKG_NAME}@host/b"), Ok("postgres://a:rulebook@host/b".to_owned()));
    assert_eq!(expand("${RULEBOOK_OTHER:-sqlite:notes.db}"), Ok("sqlite:notes.db".to_owned()));
    assert_eq!(expand("${RULEBOOK_OTHER:-x}${CARGO_PKG_NAME:-y}"), Ok("xrulebook".to_owned()));
    assert_eq!(expand("${RULEBOOK_OTHER}"), missing("RULEBOOK_OTHER"));
    assert_eq!(expand("${OTHER"), syntax);
    assert_eq!(expand("${a b}"), syntax);
    assert_eq!(expand("sqlite:$a"), Ok("sqlite:$a".to_owned()));
    assert_eq!(expand("$${a b} $${CARGO_PKG_NAME}"), Ok("${a b} ${CARGO_PKG_NAME}".to_owned()));
    assert_eq!(expand("${CARGO_MANIFEST_DIR}"), Ok(env!("CARGO_MANIFEST_DIR").to_owned()));
}

#[test]
fn values_in_the_credentials_and_the_query_of_a_url_are_percent_encoded() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let encoded = folder.replace('/', "%2F");
    assert!(folder.starts_with('/'));
    for (url, expected) in [
        ("postgres://ada:${CARGO_MANIFEST_DIR}@host/b", format!("postgres://ada:{encoded}@host/b")),
        ("postgres://${CARGO_MANIFEST_DIR}:x@host", format!("postgres://{encoded}:x@host")),
        ("postgres://host/b?password=${CARGO_MANIFEST_DIR}&c=d", format!("postgres://host/b?password={encoded}&c=d")),
        ("postgres://a@host${CARGO_MANIFEST_DIR}", format!("postgres://a@host{folder}")),
        ("${RULEBOOK_MISSING:-postgres://a:b%40@host/c}", "postgres://a:b%40@host/c".to_owned()),
        ("${RULEBOOK_MISSING:-redis}://a:${RULEBOOK_MISSING:-b/c}@host", "redis://a:b%2Fc@host".to_owned()),
        ("a?b=${CARGO_MANIFEST_DIR}", format!("a?b={folder}")),
    ] {
        let expanded = expand_variables(url, Span::default()).map_err(|error| error.message);
        assert_eq!(expanded, Ok(expected), "{url}");
    }
    assert!(expand_variables("postgres://${", Span::default()).is_err());
}

#[test]
fn definitions_from_other_machines_do_not_read_the_environment() {
    let definition = || {
        let app = r#"{ "title": "${CARGO_PKG_NAME}", "modules": { "a": { "GET": { "info": "${CARGO_PKG_NAME}" } } } }"#;
        Rulebook::read(vec![("app.json".into(), app.into())])
    };
    let (own, other) = (definition().check().unwrap(), definition().keep_variables().check().unwrap());
    assert_eq!((own.title.as_str(), other.title.as_str()), ("rulebook", "${CARGO_PKG_NAME}"));
    assert_eq!(own.modules[0].services[0].methods[0].info, "${CARGO_PKG_NAME}", "only settings have variables");
}
