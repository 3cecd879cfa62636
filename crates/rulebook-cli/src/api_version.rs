//! The option with the version of the API that a command describes.

use clap::Args;
use rulebook_model::model::{Api, Versions};

use super::{Exit, output};

/// Which version of the API a command describes.
#[derive(Debug, Args)]
pub(super) struct ApiVersion {
    /// Version of the API, if it has several [default: the version for requests that name none].
    #[arg(long, value_name = "NAME")]
    api_version: Option<String>,
}

impl ApiVersion {
    /// Returns the version of an API.
    pub(super) fn of(&self, api: &Api) -> Result<Api, Exit> {
        let Some(name) = &self.api_version else { return Ok(api.default_version().into_owned()) };
        api.in_version(name).ok_or_else(|| {
            let names: Vec<_> = api.versions.iter().flat_map(Versions::names).collect();
            let known = match &*names {
                [] => "the API has no versions".to_owned(),
                names => format!("the versions are {}", names.join(", ")),
            };
            output::print_usage_error(&format!("--api-version {name}: there is no version of this name; {known}"))
        })
    }
}
