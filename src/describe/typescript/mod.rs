//! The API as TypeScript declarations, for programs that call it by the client `rulebook.js`.

use crate::model::Api;

/// The declarations of an API, as the text of a `.d.ts` file.
#[must_use]
pub fn typescript(api: &Api) -> String {
    let ids = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
    let ids = ids.map(|method| format!("  | {:?}\n", method.id));
    format!("/** The methods of the API. */\nexport type Id =\n{};\n", ids.collect::<String>())
}
