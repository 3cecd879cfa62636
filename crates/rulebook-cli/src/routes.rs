//! `rulebook routes`: lists the methods of the API with their paths.

use clap::Args;

use super::{AddHandlers, Command, Exit, Settings, output};
use rulebook_model::model::{Method, Service};

pub(super) const COMMAND: Command = Command {
    name: "routes",
    add_options: Options::augment_args,
    shown_settings: Some(&["api", "data", "unbound"]),
    run: |matches, settings, app| Ok(run(app, settings, &super::parse_options(matches)?)),
};

/// List the methods: HTTP method, path, id and scope.
#[derive(Debug, Args)]
struct Options {
    /// List only methods whose id contains this text.
    #[arg(value_name = "TEXT")]
    filter: Option<String>,
}

fn run(app: AddHandlers<'_>, settings: &Settings, options: &Options) -> Exit {
    let api = match settings.load_api(app) {
        Ok(api) => api,
        Err(exit) => return exit,
    };
    let base = api.base.trim_end_matches('/');
    let services = api.modules.iter().flat_map(|module| &module.services);
    let mut rows: Vec<[String; 4]> = services
        .flat_map(|service| service.methods.iter().map(move |method| table_row(base, service, method)))
        .filter(|[_, _, id, _]| options.filter.as_ref().is_none_or(|text| id.contains(text)))
        .collect();
    if let Some(text) = options.filter.as_ref().filter(|_| rows.is_empty()) {
        output::print_to_stderr(&format!("no method has an id that contains `{text}`\n"));
        return Exit::ErrorsReported;
    }
    rows.sort_by(|a, b| (&a[1], &a[0]).cmp(&(&b[1], &b[0])));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let text = rows.iter().fold(String::new(), |text, [http, path, id, scope]| {
        let [a, b, c] = widths;
        text + format!("{http:a$}  {path:b$}  {id:c$}  {scope}").trim_end() + "\n"
    });
    output::print_to_stdout(&text)
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
