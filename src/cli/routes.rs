//! `rulebook routes`: what is served.

use clap::Args;

use super::{Exit, Settings, output};
use crate::engine::Rulebook;
use crate::model::{Method, Service};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only methods whose id contains this.
    #[arg(value_name = "PART")]
    part: Option<String>,
}

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings, options: &Options) -> Exit {
    let api = match settings.api(app) {
        Ok(api) => api,
        Err(exit) => return exit,
    };
    let base = api.base.trim_end_matches('/');
    let services = api.modules.iter().flat_map(|module| &module.services);
    let mut rows: Vec<[String; 4]> = services
        .flat_map(|service| service.methods.iter().map(move |method| row(base, service, method)))
        .filter(|[_, _, id, _]| options.part.as_ref().is_none_or(|part| id.contains(part)))
        .collect();
    rows.sort_by(|a, b| (&a[1], &a[0]).cmp(&(&b[1], &b[0])));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let text = rows.iter().fold(String::new(), |text, [http, path, id, scope]| {
        let [a, b, c] = widths;
        text + format!("{http:a$}  {path:b$}  {id:c$}  {scope}").trim_end() + "\n"
    });
    output::print(&text)
}

/// Method, path with its positions, id, scope.
fn row(base: &str, service: &Service, method: &Method) -> [String; 4] {
    let uri = service.uri();
    let mut path = format!("{base}{}", if uri == "/" && !base.is_empty() { "" } else { &uri });
    for own in method.positions() {
        let slash = if path.ends_with('/') { "" } else { "/" };
        path += &format!("{slash}{{{}{}}}", own.name, if own.optional { "?" } else { "" });
    }
    let groups = method.scope.groups.iter().map(|group| {
        let texts: Vec<_> = group.iter().map(|permission| permission.text.as_str()).collect();
        texts.join(" and ")
    });
    let scope = groups.collect::<Vec<_>>().join(", or ");
    [method.http.as_str().to_owned(), path, method.id.clone(), scope]
}
