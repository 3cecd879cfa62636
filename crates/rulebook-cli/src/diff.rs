//! `rulebook diff`: lists the changes between two definitions that clients can notice. The definitions are read from
//! folders, files, revisions of git and servers.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::{Args, ValueEnum};
use rulebook::{Rulebook, Validated};
use rulebook_diff::{Level, Report, compare};
use rulebook_model::definition::is_definition_file;
use rulebook_model::diagnostic::Sources as SourceFiles;
use rulebook_model::model::Api;
#[cfg(feature = "client")]
use url::Url;

#[cfg(feature = "client")]
use crate::remote::{Client, ClientOptions, FetchedDefinition, parse_server_url, print_transfer_error};
use crate::{AddHandlers, Choice, Exit, Settings, choice_parser, output};

const AFTER_HELP: &str = "\
OLD and NEW are each a folder with a definition, a file with a definition or an OpenAPI description, git:REVISION (the \
folder of --api as it is in a revision), git:REVISION:FOLDER, or the URL of a server.

Examples:
  rulebook diff git:main
  rulebook diff git:v1.2:api api --fail-on breaking
  rulebook diff https://api.example.org api --format markdown

Exit codes: 0 success; 1 --fail-on found such a change, or a definition has errors; 2 invalid usage; 3 a definition \
cannot be read.";

/// List the changes between two definitions that clients can notice, and whether they break clients.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct DiffOptions {
    /// The old definition.
    old: String,
    /// The new definition [default: the folder of --api].
    new: Option<String>,
    /// Format of the list.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 1 if there is a change of this level or a worse one.
    #[arg(long, value_name = "LEVEL", value_parser = choice_parser(FAILING_LEVELS))]
    fail_on: Option<Level>,
    #[cfg(feature = "client")]
    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One paragraph for each change, for people.
    Text,
    /// One JSON object with all changes.
    Json,
    /// A table for a comment on a pull request.
    Markdown,
}

const FAILING_LEVELS: &[Choice<Level>] = &[
    ("breaking", "Changes that break clients", Level::Breaking),
    ("risky", "Also changes that may break clients", Level::Risky),
];

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &DiffOptions) -> Result<Exit, Exit> {
    let sources = Sources {
        app,
        settings,
        #[cfg(feature = "client")]
        client: &options.client,
    };
    let mut old = sources.read(&options.old)?;
    let mut new = match &options.new {
        Some(new) => sources.read(new)?,
        None => sources.read_folder(&settings.api)?,
    };
    old.take_unknown_settings(&new);
    new.take_unknown_settings(&old);
    old.limit_to_version_of(&new);
    new.limit_to_version_of(&old);
    let changes = compare(&old.api, &new.api);
    let report = Report { changes: &changes, old: &old.sources, new: &new.sources };
    let text = match options.format {
        Format::Text => report.to_text(),
        Format::Json => output::format_json(&report.to_json()),
        Format::Markdown => report.to_markdown(),
    };
    let printed = output::print_to_stdout(&text);
    let worst = changes.iter().map(|change| change.kind.level()).max().unwrap_or(Level::Compatible);
    let fails = options.fail_on.is_some_and(|level| worst >= level);
    Ok(if printed == Exit::Success && fails { Exit::ErrorsReported } else { printed })
}

const GIT_PREFIX: &str = "git:";

struct ComparedApi {
    api: Api,
    sources: SourceFiles,
    /// `true` if the API comes from a description for clients, which lacks settings of the server.
    is_description: bool,
    /// The path of the URL from which the API comes; empty if it comes from a file.
    url_path: String,
}

impl ComparedApi {
    /// If the API comes from a description for clients, takes the settings that it lacks from the other API, so that no
    /// change is reported for them.
    fn take_unknown_settings(&mut self, other: &Self) {
        if self.is_description {
            self.api.auth.clone_from(&other.api.auth);
            self.api.cors.clone_from(&other.api.cors);
            if let (Some(versions), Some(others)) = (&mut self.api.versions, &other.api.versions) {
                versions.header.clone_from(&others.header);
            }
        }
    }

    /// If the other API is described without its versions, takes the version that its URL names, or the one for
    /// requests that name none.
    fn limit_to_version_of(&mut self, other: &Self) {
        let Some(versions) =
            self.api.versions.as_ref().filter(|_| other.is_description && other.api.versions.is_none())
        else {
            return;
        };
        let is_named = |name: &&str| other.url_path.split('/').any(|segment| segment == *name);
        let name = versions.names().find(is_named).unwrap_or(&versions.default);
        if let Some(mut version) = self.api.in_version(name) {
            let note = "is compared, because the other definition describes no versions";
            output::print_to_stderr(&format!("note: only version {name} {note}\n"));
            version.versions = None;
            self.api = version;
        }
    }
}

struct Sources<'a> {
    app: AddHandlers<'a>,
    settings: &'a Settings,
    #[cfg(feature = "client")]
    client: &'a ClientOptions,
}

impl Sources<'_> {
    /// Reads the definition that an argument names. Prints an error if that fails.
    fn read(&self, name: &str) -> Result<ComparedApi, Exit> {
        if let Some(revision) = name.strip_prefix(GIT_PREFIX) {
            return self.read_revision(revision);
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            return self.fetch(name);
        }
        let path = Path::new(name);
        if path.is_dir() {
            return self.read_folder(path);
        }
        let bytes = fs::read(path).map_err(|error| output::print_system_error(format!("{name}: {error}")))?;
        self.read_file(name, bytes)
    }

    fn read_folder(&self, folder: &Path) -> Result<ComparedApi, Exit> {
        self.check(Rulebook::load(folder))
    }

    fn read_file(&self, name: &str, bytes: Vec<u8>) -> Result<ComparedApi, Exit> {
        if !is_openapi(name, &bytes) {
            return self.check(Rulebook::read(vec![(name.into(), bytes)]));
        }
        #[cfg(feature = "import")]
        return match rulebook_import::openapi::import(name, bytes) {
            Ok(imported) => {
                let lost = imported.losses.count();
                if lost > 0 {
                    let parts = output::count_with_noun(lost, "part");
                    output::print_to_stderr(&format!(
                        "note: {name}: {parts} of the description are not compared, because a definition cannot express \
                         them; `rulebook import --losses` lists them\n"
                    ));
                }
                let files = imported.files.into_iter().map(|file| (file.path.into(), file.text.into_bytes()));
                let read = self.check(Rulebook::read(files.collect()))?;
                Ok(ComparedApi { is_description: true, ..read })
            }
            Err(error) => Err(output::print_system_error(error)),
        };
        #[cfg(not(feature = "import"))]
        Err(output::print_usage_error(format!("{name}: this program was built without the feature `import`")))
    }

    fn check(&self, rulebook: Rulebook) -> Result<ComparedApi, Exit> {
        let rulebook = self.settings.with_settings(rulebook.keep_variables(), self.app);
        let validated = rulebook.validate().map_err(|report| output::print_report(&report))?;
        let Validated { api, sources, .. } = validated;
        Ok(ComparedApi { api, sources, is_description: false, url_path: String::new() })
    }

    #[cfg(feature = "client")]
    fn fetch(&self, url: &str) -> Result<ComparedApi, Exit> {
        let server = parse_server_url(url).map_err(|why| output::print_usage_error(format!("{url}: {why}")))?;
        let client = self.client.create_client("definition".to_owned())?;
        // The path of a document names the document; other paths are those of a server.
        let is_document = [".json", ".yaml", ".yml"].iter().any(|end| server.path().ends_with(end));
        let fetched = match is_document {
            true => client
                .fetch_document("GET", &server, ("", ""))
                .map(|(bytes, _)| FetchedDefinition { bytes, versions: Vec::new() }),
            false => client.fetch_definition(&server),
        };
        let FetchedDefinition { bytes, versions } = fetched.map_err(|error| print_transfer_error(&error))?;
        let read = match &*versions {
            [] => self.read_file(url, bytes)?,
            versions => self.fetch_versions(&client, url, (&bytes, versions))?,
        };
        Ok(ComparedApi { is_description: true, url_path: server.path().to_owned(), ..read })
    }

    /// Fetches all versions of an API. `default` is the definition of the default version.
    #[cfg(feature = "client")]
    fn fetch_versions(
        &self,
        client: &Client,
        url: &str,
        (default, links): (&[u8], &[(String, Url)]),
    ) -> Result<ComparedApi, Exit> {
        let (mut versions, mut sources, mut default_name) = (Vec::new(), SourceFiles::default(), None);
        for (name, link) in links {
            let FetchedDefinition { bytes, .. } =
                client.fetch_definition(link).map_err(|error| print_transfer_error(&error))?;
            if bytes == default {
                default_name.get_or_insert(name);
            }
            // Empty files before the file of the version give its positions the number that it has in `sources`.
            let empty = || ("app.json".into(), b"{}".to_vec());
            let mut files: Vec<_> = std::iter::repeat_with(empty).take(versions.len()).collect();
            files.push((link.as_str().into(), bytes));
            let read = self.check(Rulebook::read(files))?;
            let file = u32::try_from(versions.len()).ok().and_then(|index| read.sources.get(index));
            sources.add(link.as_str().into(), file.map(|file| file.text.clone()).unwrap_or_default());
            versions.push((name.clone(), read.api));
        }
        let api = default_name.and_then(|name| Api::of_versions(name, versions));
        let why = || output::print_system_error(format!("{url}: the definition has just changed; try again"));
        Ok(ComparedApi { api: api.ok_or_else(why)?, sources, is_description: true, url_path: String::new() })
    }

    #[cfg(not(feature = "client"))]
    fn fetch(&self, url: &str) -> Result<ComparedApi, Exit> {
        Err(output::print_usage_error(format!("{url}: this program was built without the feature `client`")))
    }

    /// Reads a definition from a revision of git: `main`, or `main:folder` for another folder than that of `--api`.
    fn read_revision(&self, name: &str) -> Result<ComparedApi, Exit> {
        let current = Path::new(".");
        let (revision, start, folder) = match name.split_once(':') {
            Some((revision, folder)) => (revision, current, format!("./{}/", folder.trim_end_matches('/'))),
            None => (name, &*self.settings.api, "./".to_owned()),
        };
        let print_error = |why: String| output::print_system_error(format!("{GIT_PREFIX}{name}: {why}"));
        if revision.is_empty() || revision.starts_with('-') {
            return Err(output::print_usage_error(format!("{GIT_PREFIX}{name}: this is not the name of a revision")));
        }
        let listed = git(start, &["ls-tree", "-z", "--name-only", revision, "--", &folder]).map_err(print_error)?;
        let mut files = Vec::new();
        for path in listed.split('\0').filter(|path| is_definition_file(Path::new(path))) {
            let text = git(start, &["show", &format!("{revision}:./{path}")]).map_err(print_error)?;
            files.push((start.join(path), text.into_bytes()));
        }
        if files.is_empty() {
            return Err(print_error("the folder has no definition in this revision".to_owned()));
        }
        self.check(Rulebook::read(files))
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr).trim().to_owned()) }
}

/// Returns `true` if a file contains an OpenAPI description, and no definition.
fn is_openapi(name: &str, bytes: &[u8]) -> bool {
    if name.ends_with(".yaml") || name.ends_with(".yml") {
        return true;
    }
    let parsed: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    parsed.is_some_and(|json| json.get("openapi").is_some() && json.get("paths").is_some())
}
