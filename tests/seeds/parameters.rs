//! The handlers of PhalApi's document on parameters: every method returns its parameters, as the examples do. With
//! them come the functions and the type that the document adds.

use rulebook::{Args, Context, Http, Module, Objection, Refusal, Rulebook};
use serde_json::{Map, Value as Json};

use super::modules;
use crate::rules::own_type::Email;

async fn all(Args(all): Args<Map<String, Json>>, _: Context) -> Result<Json, Refusal> {
    Ok(Json::Object(all))
}

/// Binds all methods of a definition.
pub fn bind(read: impl Fn() -> Rulebook) -> Rulebook {
    let api = read().add_type(Email).check().unwrap_or_else(|report| panic!("{report}"));
    let own = api.modules.iter().map(|module| {
        let methods = module.services.iter().flat_map(|own| own.methods.iter().map(|method| (own.uri(), method.http)));
        methods.fold(Module::new(&module.name), |module, (uri, http)| match http {
            Http::Get => module.get(&uri, all),
            _ => module.post(&uri, all),
        })
    });
    modules(read(), own)
        .add_type(Email)
        .verify_outputs(false)
        .callable("Common_MyVersion::longer", |version, params| {
            let least = params.and_then(Json::as_u64).unwrap_or_default();
            let long = version.as_str().is_some_and(|text| text.len() as u64 >= least);
            if long { Ok(version.clone()) } else { Err(Objection::new(format!("longer than {least}")).with_code(1)) }
        })
        .callable("Common_MyVersion::formatVersion", |version, _| {
            let parts = version.as_str().map_or(0, |text| text.split('.').count());
            if parts < 3 { Err("Illegal version".into()) } else { Ok(version.clone()) }
        })
}
