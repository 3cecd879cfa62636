//! `data/rules/by_path.json`: the examples of PhalApi's document on parameters, in their order, and some of
//! what its present program adds, asked over HTTP.
//!
//! Each tells in the document's words what it shows, then what becomes of it here. Where that is something else,
//! `differs` has the reason. Every method answers with its parameters, as the examples of the document do.

use std::fmt::Write;

use rulebook::{Args, Context, Engine, Http, Module, Objection, Refusal, Rulebook};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::files;
use super::own_type::Email;
use crate::client::Site;
use crate::client::case::{self, Case};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    /// The document and the section.
    section: String,
    #[serde(default)]
    app: Json,
    rules: Json,
    examples: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    /// The document's words.
    shows: String,
    /// Why what becomes of it here is not what it shows.
    differs: Option<String>,
    /// A request, and its answer.
    case: Case,
}

async fn all(Args(all): Args<Map<String, Json>>, _: Context) -> Result<Json, Refusal> {
    Ok(Json::Object(all))
}

/// The API of a section, with the functions and the type of the document.
fn engine(section: &Section) -> Engine {
    let files = || files(&section.app, &section.rules);
    let api = Rulebook::read(files()).add_type(Email).check().unwrap_or_else(|report| panic!("{report}"));
    let modules = api.modules.iter().map(|module| {
        let methods = module.services.iter().flat_map(|own| own.methods.iter().map(|method| (own.uri(), method.http)));
        methods.fold(Module::new(&module.name), |module, (uri, http)| match http {
            Http::Get => module.get(&uri, all),
            _ => module.post(&uri, all),
        })
    });
    let longer = |version: &Json, params: Option<&Json>| {
        let least = params.and_then(Json::as_u64).unwrap_or_default();
        let long = version.as_str().is_some_and(|text| text.len() as u64 >= least);
        if long { Ok(version.clone()) } else { Err(Objection::new(format!("longer than {least}")).with_code(1)) }
    };
    let rulebook = modules.fold(Rulebook::read(files()), Rulebook::module).add_type(Email).verify_outputs(false);
    let rulebook = rulebook.callable("Common_MyVersion::longer", longer).callable(
        "Common_MyVersion::formatVersion",
        |version, _| {
            let parts = version.as_str().map_or(0, |text| text.split('.').count());
            if parts < 3 { Err("Illegal version".into()) } else { Ok(version.clone()) }
        },
    );
    rulebook.build().unwrap_or_else(|report| panic!("{}: {report}", section.section))
}

#[test]
fn examples_are_answered_as_documented() {
    let mut wrong = String::new();
    let mut count = 0;
    for section in case::read::<Section>(include_str!("../data/rules/by_path.json")) {
        assert!(section.section.starts_with("phalapi parameters: "), "{}", section.section);
        let site = Site::start(&engine(&section));
        for Example { shows, differs, case } in &section.examples {
            let answer = site.send(&case.request());
            let no_reason = shows.trim().is_empty() || differs.as_ref().is_some_and(|why| why.trim().is_empty());
            let said = no_reason.then(|| "it says nothing".to_owned());
            for flaw in case.differences(&answer).into_iter().chain(said) {
                let _ = writeln!(wrong, "{}: {shows}: {flaw}\n{answer:?}\n", section.section);
            }
            count += 1;
        }
        site.assert_no_temporary();
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 75, "{count} examples only");
}
