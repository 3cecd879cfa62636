//! Imports a project for internal-api: the paths and file names of its endpoints, and the permissions of its keys. They
//! are string literals and regular expressions in PHP code.

use std::path::Path;

use rulebook_model::definition::dialect_spec::TREE;
use serde_json::{Map, Value as Json, json};

use super::{DefinitionFile, Import, ProjectError, TextFile, line_at, member_lines, read_files, unusable};

const DEFINITION: &str = include_str!("iapi/iapi.json");

const KEY_FILE: &str = "api_keys.json";

/// The permissions of internal-api's keys, and the permissions of rulebook's keys.
const SCOPES: [(&str, &str); 3] =
    [("get:file", "iapi.read"), ("post:file", "iapi.write"), ("post:cache", "iapi.cache")];

/// What the code of the API module `iapi` depends on.
#[derive(Debug)]
pub(super) struct IapiCode {
    /// `true` if the definition has the methods for files.
    pub has_files: bool,
    /// The path of `POST /iapi/cache`, if the definition has this method.
    pub cache_path: Option<String>,
    pub file_path: String,
    pub database: CacheDatabase,
}

#[derive(Debug)]
pub(super) enum CacheDatabase {
    Sqlite(String),
    /// A server; the program reads its URL from the environment variable `DATABASE_URL`. The value is the name of the
    /// variant of `rulebook_iapi::Database`.
    Server(&'static str),
}

pub(super) fn import(folder: &Path) -> Result<Import, ProjectError> {
    let mut import = Import::default();
    let mut code = IapiCode {
        has_files: false,
        cache_path: None,
        file_path: "/iapi/file".to_owned(),
        database: CacheDatabase::Server("Mysql"),
    };
    let definition: Json =
        serde_json::from_str(DEFINITION).map_err(|error| ProjectError::Unusable(error.to_string()))?;
    let template = |name: &str| definition["/"]["iapi"]["/"][name].clone();
    let files = read_files(folder, &[".php", ".json", ".sh", ".py", ".js", ".md", ".yml"])?;
    let mut services = Map::new();
    for file in files.iter().filter(|file| file.path.ends_with(".php")) {
        let literals = string_literals(&file.text);
        if let Some(at) = file.text.find("new FileEndPoint(") {
            code.has_files = true;
            code.file_path = path_of_endpoint(file, &literals, at).unwrap_or(code.file_path);
            let patterns = file_patterns(file, &literals, at, &mut import);
            let mut service = template("file");
            service["GET"]["in"]["GET@filename"]["range"] = patterns.clone().into();
            service["POST"]["in"]["filename"]["range"] = patterns.into();
            if let Some(content) = service["POST"]["in"]["content"].as_object_mut() {
                // internal-api accepts files of every media type.
                content.remove("range");
            }
            import.add_imported(&file.path, format!("`FileEndPoint` → `{}` in `api/iapi.json`", code.file_path));
            services.insert(code.file_path.trim_start_matches('/').to_owned(), service);
            let message = "files are at most 8 MiB (`max` of `content` in `api/iapi.json`); copy the existing files into the \
                           folder `data/files`";
            import.warn(&file.path, line_at(&file.text, at), message);
        }
        if let Some(at) = file.text.find("new CacheEndPoint(") {
            let line = line_at(&file.text, at);
            let path = path_of_endpoint(file, &literals, at).unwrap_or_else(|| "/iapi/cache".to_owned());
            let mut service = template("cache");
            let mut columns = cached_columns(&files);
            if columns.is_empty() {
                let message = "list the columns that may be cached, in `range` of `fromDB` in `api/iapi.json`";
                import.warn(&file.path, line, message);
                columns.push("table.column".to_owned());
            }
            service["POST"]["in"]["fromDB"]["range"] = columns.into();
            import.add_imported(&file.path, format!("`CacheEndPoint` → `{path}` in `api/iapi.json`"));
            services.insert(path.trim_start_matches('/').to_owned(), service);
            let message = "`storePath` is a folder below `data/files`, which must match `range` in `api/iapi.json`; in \
                           internal-api it is below the folder that is passed here";
            import.warn(&file.path, line, message);
            code.cache_path = Some(path);
            code.database = database(file, &literals, &mut import);
        }
    }
    if services.is_empty() {
        let why = "no endpoint was found; expected a PHP file with `new FileEndPoint(…)` or `new CacheEndPoint(…)`";
        return Err(unusable(folder, why));
    }
    for file in files.iter().filter(|file| file.path.rsplit('/').next() == Some(KEY_FILE)) {
        read_keys(file, &mut import);
    }
    let text = json!({
        "$schema": "../schema/definition.json",
        "info": definition["info"],
        "envelope": "iapi",
        "/": services,
    });
    let text = format!("{text:#}\n");
    import.definitions.push(DefinitionFile::copied("iapi.json".to_owned(), text, &TREE, "iapi.json"));
    import.iapi = Some(code);
    Ok(import)
}

/// Returns the path for which the script creates an endpoint: the text that the last comparison with `REQUEST_URI`
/// before the endpoint contains.
fn path_of_endpoint(file: &TextFile, literals: &[Literal], endpoint: usize) -> Option<String> {
    let compared = file.text[..endpoint].rfind("REQUEST_URI")?;
    let literal = literals
        .iter()
        .find(|literal| literal.offset > compared && literal.offset < endpoint && literal.text.starts_with('/'))?;
    Some(literal.text.trim_end_matches('/').to_owned())
}

fn file_patterns(file: &TextFile, literals: &[Literal], endpoint: usize, import: &mut Import) -> Vec<String> {
    let end = end_of_call(&file.text, literals, endpoint);
    let list = file.text[endpoint..end].find(['[']).or_else(|| file.text[endpoint..end].find("array("));
    let begin = list.map_or(end, |at| endpoint + at);
    let mut patterns = Vec::new();
    for literal in literals.iter().filter(|literal| (begin..end).contains(&literal.offset)) {
        match name_pattern(&literal.text) {
            Some(pattern) => patterns.push(pattern),
            None => {
                let message = format!(
                    "the regular expression `{}` has no equivalent: write patterns of file names in `range` of `filename` in \
                     `api/iapi.json`",
                    literal.text
                );
                import.warn(&file.path, line_at(&file.text, literal.offset), message);
            }
        }
    }
    if patterns.is_empty() {
        let message =
            "only names below `allowed/` are accepted, until `range` of `filename` in `api/iapi.json` lists others";
        import.warn(&file.path, line_at(&file.text, endpoint), message);
        patterns.push("allowed/**".to_owned());
    }
    patterns
}

/// Returns the columns, such as `user_info.intro_json`, that the code in these files requests from the cache.
fn cached_columns(files: &[TextFile]) -> Vec<String> {
    let mut columns = Vec::new();
    for (at, text) in files.iter().flat_map(|file| file.text.match_indices("fromDB").map(|(at, _)| (at, &file.text))) {
        let rest = text[at + "fromDB".len()..].trim_start_matches(|char: char| " \t'\"`:=>".contains(char));
        let end =
            rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '.').unwrap_or(rest.len());
        let column = rest[..end].trim_end_matches('.');
        let is_column = column.split('.').count() == 2 && column.split('.').all(|part| !part.is_empty());
        // A placeholder in a document, such as `table_name.column_name`, is no column.
        if is_column && column != "table_name.column_name" && !columns.iter().any(|known| known == column) {
            columns.push(column.to_owned());
        }
    }
    columns
}

/// Returns the database to which a script connects. Warns about a database on a server, whose URL the program reads
/// from the environment.
fn database(file: &TextFile, literals: &[Literal], import: &mut Import) -> CacheDatabase {
    let source = |literal: &'_ Literal| {
        let (driver, parameters) = literal.text.split_once(':')?;
        ["mysql", "pgsql", "sqlite"].contains(&driver).then(|| (driver.to_owned(), parameters.to_owned()))
    };
    let found = literals.iter().find_map(|literal| Some((literal.offset, source(literal)?)));
    let variable = "the program reads the address of the database from the environment variable DATABASE_URL";
    let Some((offset, (driver, parameters))) = found else {
        let message = format!(
            "the address of the database was not found: {variable} (`{}`); if it is not MySQL or MariaDB, change \
             `Database::Mysql` in `src/iapi.rs`",
            server_url("mysql", "")
        );
        import.warn(&file.path, None, message);
        return CacheDatabase::Server("Mysql");
    };
    let (variant, scheme) = match &*driver {
        "sqlite" => return CacheDatabase::Sqlite(parameters),
        "pgsql" => ("Postgres", "postgres"),
        _ => ("Mysql", "mysql"),
    };
    let message = format!("{variable} (`{}`)", server_url(scheme, &parameters));
    import.warn(&file.path, line_at(&file.text, offset), message);
    CacheDatabase::Server(variant)
}

/// Returns the URL of a database for the parameters of a PHP data source name, such as `host=db;dbname=shop`. The URL
/// has placeholders for the user, the password, and missing parameters.
fn server_url(scheme: &str, parameters: &str) -> String {
    let parameter = |name: &str| {
        let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find(|(other, _)| other.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let host = parameter("host").unwrap_or_else(|| "host".to_owned());
    let port = parameter("port").map(|port| format!(":{port}")).unwrap_or_default();
    let name = parameter("dbname").unwrap_or_else(|| "name".to_owned());
    format!("{scheme}://user:password@{host}{port}/{name}")
}

/// Warns that the keys in a file must be replaced, with the command that creates each new key.
fn read_keys(file: &TextFile, import: &mut Import) {
    let Ok(Json::Array(keys)) = serde_json::from_str(&file.text) else {
        return import.warn(&file.path, None, "the file is no list of keys");
    };
    let lines = member_lines(&file.text);
    for (index, key) in keys.iter().enumerate() {
        let listed: Vec<&str> = key["scopes"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let known: Vec<&str> = SCOPES.iter().filter(|(old, _)| listed.contains(old)).map(|(_, new)| *new).collect();
        // In internal-api, a key without scopes may call every method.
        let scope = if listed.is_empty() { "iapi".to_owned() } else { known.join(",") };
        let count = |name: &str| key[name].as_u64().unwrap_or(0);
        let limit = key["requestLimit"].as_u64().map(|limit| limit.saturating_sub(count("requestCount")).max(1));
        let limit = limit.map(|limit| format!(" --requests {limit} --per ever")).unwrap_or_default();
        let number = index + 1;
        let message = format!(
            "key {number} cannot be transferred, because only its hash is stored; create a new key: rulebook keys add --name \
             server{number} --scope {scope}{limit} --output server{number}.key"
        );
        import.warn(&file.path, lines.get(&vec![index.to_string()]).copied(), message);
    }
}

#[derive(Debug)]
struct Literal {
    /// The offset of the first quote in the code.
    pub offset: usize,
    /// The text between the quotes, with its escapes as in the code, except for `\'` and `\\`.
    pub text: String,
}

/// Returns the string literals in PHP code. Comments are skipped.
fn string_literals(code: &str) -> Vec<Literal> {
    let mut literals = Vec::new();
    let mut at = 0;
    while let Some(char) = code[at..].chars().next() {
        let rest = &code[at..];
        at += if rest.starts_with("//") || char == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if matches!(char, '\'' | '"') {
            let (text, length) = read_literal(rest, char);
            literals.push(Literal { offset: at, text });
            length
        } else {
            char.len_utf8()
        };
    }
    literals
}

/// Reads the literal at the start of `code`. Returns its text, and its length with the quotes.
fn read_literal(code: &str, quote: char) -> (String, usize) {
    let mut text = String::new();
    let mut chars = code.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some((_, escaped)) if escaped == quote || escaped == '\\' => text.push(escaped),
                Some((_, other)) => text.extend(['\\', other]),
                None => break,
            },
            _ if char == quote => return (text, at + char.len_utf8()),
            _ => text.push(char),
        }
    }
    (text, code.len())
}

/// Returns the offset after the call whose opening parenthesis follows `start`.
fn end_of_call(code: &str, literals: &[Literal], start: usize) -> usize {
    let mut depth = 0_usize;
    for (index, char) in code[start..].char_indices() {
        let at = start + index;
        // Parentheses in literals do not count. The length of a literal in the code is at least that of its text.
        if literals.iter().any(|literal| literal.offset < at && at <= literal.offset + literal.text.len()) {
            continue;
        }
        match char {
            '(' => depth += 1,
            ')' if depth <= 1 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Converts a regular expression of PHP that matches the beginning of a name, such as `/^public\//`, or a whole name,
/// to a pattern of file names. Returns `None` for other regular expressions.
fn name_pattern(regex: &str) -> Option<String> {
    let delimiter = regex.chars().next().filter(char::is_ascii_punctuation)?;
    let body = regex.strip_prefix(delimiter)?.strip_suffix(delimiter)?.strip_prefix('^')?;
    let (body, is_whole) = body.strip_suffix('$').map_or((body, false), |body| (body, true));
    let prefix = body.strip_suffix(".*").or_else(|| body.strip_suffix(".+"));
    let (body, is_prefix) = prefix.map_or((body, !is_whole), |body| (body, true));
    let mut text = String::new();
    let mut chars = body.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.push(chars.next().filter(|char| "/.-_ ".contains(*char))?),
            _ if char.is_alphanumeric() || "/-_ ".contains(char) => text.push(char),
            _ => return None,
        }
    }
    match (is_prefix, text.ends_with('/')) {
        (true, true) if text.len() > 1 => Some(format!("{text}**")),
        (false, false) if !text.is_empty() => Some(text),
        _ => None,
    }
}
