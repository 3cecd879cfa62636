//! `rulebook routes`: lists the methods of the API with their paths.

use clap::Args;

use super::api_version::ApiVersion;
use super::{AddHandlers, Exit, Settings, output};
use rulebook_model::model::{Method, Service};

/// List the methods: HTTP method, path, id and scope.
#[derive(Debug, Args)]
pub(super) struct RoutesOptions {
    /// List only methods whose id contains this text.
    #[arg(value_name = "TEXT")]
    filter: Option<String>,
    #[command(flatten)]
    api_version: ApiVersion,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &RoutesOptions) -> Result<Exit, Exit> {
    let api = options.api_version.of(&settings.load_api(app)?)?;
    let base = api.base.trim_end_matches('/');
    let services = api.services();
    let mut rows: Vec<[String; 4]> = services
        .flat_map(|service| service.methods.iter().map(move |method| table_row(base, service, method)))
        .filter(|[_, _, id, _]| options.filter.as_ref().is_none_or(|text| id.contains(text)))
        .collect();
    if let Some(text) = options.filter.as_ref().filter(|_| rows.is_empty()) {
        output::print_to_stderr(&format!("no method has an id that contains `{text}`\n"));
        return Err(Exit::ErrorsReported);
    }
    rows.sort_by(|a, b| (&a[1], &a[0]).cmp(&(&b[1], &b[0])));
    Ok(output::print_to_stdout(&output::table(&rows)))
}

/// Returns the columns of the table row for a method: HTTP method, path, id, and scope (the permissions that a caller
/// needs). The path includes the parameters that follow it as positional segments.
fn table_row(base: &str, service: &Service, method: &Method) -> [String; 4] {
    let uri = service.uri();
    let mut path = format!("{base}{}", if uri == "/" && !base.is_empty() { "" } else { &uri });
    for parameter in method.positions() {
        let slash = if path.ends_with('/') { "" } else { "/" };
        path += &format!("{slash}{{{}{}}}", parameter.name, if parameter.optional { "?" } else { "" });
    }
    let groups = method.scope.groups.iter().map(|group| {
        let texts: Vec<_> = group.iter().map(|permission| permission.text.as_str()).collect();
        texts.join(" and ")
    });
    let scope = groups.collect::<Vec<_>>().join(", or ");
    [method.http.as_str().to_owned(), path, method.id.clone(), scope]
}
