//! Handlers for the examples in PhalApi's documentation of parameters: every method returns its arguments. Also the
//! functions and the custom type that this documentation contains.

use rulebook::{ApiError, Args, Context, CustomError, HttpMethod, Module, Rulebook};
use serde_json::{Map, Value as Json};

use super::with_modules;
use crate::rules::custom_type::EmailType;

async fn return_arguments(Args(all): Args<Map<String, Json>>, _: Context) -> Result<Json, ApiError> {
    Ok(Json::Object(all))
}

/// Binds a handler that returns all arguments to every method of a definition, and adds the functions and the type of
/// the documentation.
pub fn bind_echo_handlers(read: impl Fn() -> Rulebook) -> Rulebook {
    let api = read().add_type(EmailType).check().unwrap_or_else(|report| panic!("{report}"));
    let bound = api.modules.iter().map(|module| {
        let methods = module
            .services
            .iter()
            .flat_map(|service| service.methods.iter().map(|method| (service.uri(), method.http)));
        methods.fold(Module::new(&module.name), |module, (uri, http)| match http {
            HttpMethod::Get => module.get(&uri, return_arguments),
            _ => module.post(&uri, return_arguments),
        })
    });
    with_modules(read(), bound)
        .add_type(EmailType)
        .verify_outputs(false)
        .callable("Common_MyVersion::longer", |version, params| {
            let min_length = params.and_then(Json::as_u64).unwrap_or_default();
            let long = version.as_str().is_some_and(|text| text.len() as u64 >= min_length);
            if long {
                Ok(version.clone())
            } else {
                Err(CustomError::new(format!("longer than {min_length}")).with_phalapi_code(1))
            }
        })
        .callable("Common_MyVersion::formatVersion", |version, _| {
            let parts = version.as_str().map_or(0, |text| text.split('.').count());
            if parts < 3 { Err("Illegal version".into()) } else { Ok(version.clone()) }
        })
}
