//! The statements of servers that run: each server leaves its own in the database, so that migrations can be compared
//! with them before they break calls.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::mem::discriminant;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::call::SqlMethod;
use crate::database::{Column, ColumnType, Database, Dialect, Lease};
use crate::rules::{
    CHECK, COLUMN, DEFAULT, EXCLUDE, FOREIGN_KEY, NO_DEFAULT, NOT_NULL, Rule, UNIQUE, Written, rules, written,
};
use crate::statement::unquoted_words;
use crate::storage::execute;

/// The time between two signs of life of a server, the number of seconds without one after which it has ended, and
/// after which its record is removed.
const BEAT: Duration = Duration::from_secs(5);
const MAX_SILENCE: u32 = 15;
const MAX_AGE: u32 = 86_400;
/// Names this process in the table.
static PROCESS: LazyLock<String> = LazyLock::new(|| format!("{:016x}", RandomState::new().build_hasher().finish()));

/// The name of a method, and one of its statements as it is sent to the database.
type SentStatement = (String, String);

/// Returns the name of a server of this process in the table. Later ones have greater names.
pub(crate) fn new_server() -> String {
    static SERVERS: AtomicU64 = AtomicU64::new(0);
    format!("{}/{:08}", *PROCESS, SERVERS.fetch_add(1, Ordering::Relaxed))
}

/// Records in the database that this process serves a release, until the sender of `served` is dropped. A later release
/// of this process takes the place of this one.
pub(crate) async fn announce(
    database: Arc<Database>,
    server: String,
    release: String,
    methods: Vec<Arc<SqlMethod>>,
    mut served: watch::Receiver<()>,
) {
    let mut statements: Vec<SentStatement> = methods.iter().flat_map(|method| method.sent_statements()).collect();
    statements.sort();
    statements.dedup();
    let Ok(statements) = serde_json::to_string(&statements) else { return };
    let dialect = database.settings.dialect;
    let now = dialect.unix_time();
    let insert = format!("insert into rulebook_releases values (?, ?, ?, {now})");
    let values: [&str; 3] = [&server, &release, &statements];
    let old = format!("delete from rulebook_releases where server < ? and server like ? or seen < {now} - {MAX_AGE}");
    let beat = format!("update rulebook_releases set seen = {now} where server = ?");
    let (mut is_recorded, mut is_reported) = (false, false);
    loop {
        if is_recorded {
            // If this fails, the next one can succeed. A database that was restored does not have the record.
            let _ = execute(&database, &beat, &[&server]).await;
            let found = execute(&database, "select server from rulebook_releases where server = ?", &[&server]).await;
            is_recorded = !found.is_ok_and(|rows| rows.is_empty());
        } else {
            let mut inserted = execute(&database, &insert, &values).await;
            if inserted.is_err() {
                // Another server may have created it in the meantime.
                let _ = execute(&database, &create_table(dialect), &[]).await;
                inserted = execute(&database, &insert, &values).await;
            }
            is_recorded = inserted.is_ok();
            match inserted {
                Ok(_) => drop(execute(&database, &old, &[&server, &format!("{}/%", *PROCESS)]).await),
                Err(error) if !is_reported => {
                    let name = &database.settings.name;
                    log::warn!(
                        "the database `{name}` cannot record what this server needs of it, so that migrations can \
                         break its calls unnoticed: {error}"
                    );
                    is_reported = true;
                }
                Err(_) => {}
            }
        }
        if timeout(BEAT, served.changed()).await.is_ok() {
            break;
        }
    }
    if is_recorded {
        let _ = execute(&database, "delete from rulebook_releases where server = ?", &[&server]).await;
    }
}

fn create_table(dialect: Dialect) -> String {
    let text = if dialect == Dialect::Mysql { "longtext" } else { "text" };
    format!(
        "create table if not exists rulebook_releases (server varchar(64) primary key, release_name varchar(255) not \
         null, statements {text} not null, seen bigint not null)"
    )
}

/// What other running servers need from a database.
pub(crate) struct Running {
    statements: Vec<RunningStatement>,
    rules: Vec<Rule>,
}

struct RunningStatement {
    release: String,
    servers: usize,
    method: String,
    sql: String,
    words: Vec<String>,
    columns: Vec<Column>,
}

impl Running {
    /// Reads what the servers need. A database without their table, or one that cannot be read, has no servers.
    pub(crate) async fn read(lease: &mut Lease) -> Result<Self, sqlx::Error> {
        let dialect = lease.dialect();
        let select = format!(
            "select release_name, statements from rulebook_releases where server not like ? and seen > {} - {MAX_SILENCE}",
            dialect.unix_time()
        );
        let rows = lease.text_rows(&select, &[&format!("{}/%", *PROCESS)]).await.unwrap_or_default();
        let mut releases: BTreeMap<_, usize> = BTreeMap::new();
        for row in rows {
            if let [Some(release), Some(statements)] = &row[..] {
                *releases.entry((release.clone(), statements.clone())).or_default() += 1;
            }
        }
        let mut statements = Vec::new();
        for ((release, list), servers) in releases {
            let list: Vec<SentStatement> = serde_json::from_str(&list).unwrap_or_default();
            for (method, sql) in list {
                // A statement that fails already cannot be broken.
                let Ok(columns) = lease.describe(&sql).await else { continue };
                let words = unquoted_words(&sql, dialect);
                let release = release.clone();
                statements.push(RunningStatement { release, servers, method, sql, words, columns });
            }
        }
        let rules = if statements.is_empty() { Vec::new() } else { rules(lease).await? };
        // The columns that the connection remembers are those before the migrations.
        lease.forget_statements().await?;
        Ok(Self { statements, rules })
    }

    /// Describes what the changed tables break in the servers that run, a line for each statement.
    pub(crate) async fn broken(&self, lease: &mut Lease) -> Result<Vec<String>, sqlx::Error> {
        if self.statements.is_empty() {
            return Ok(Vec::new());
        }
        let rules = rules(lease).await?;
        let mut broken = Vec::new();
        for statement in &self.statements {
            let mut reason = match lease.describe(&statement.sql).await {
                Err(sqlx::Error::Database(error)) => Some(error.message().to_owned()),
                Err(error) => return Err(error),
                Ok(columns) => statement
                    .missing_column(&columns)
                    .or_else(|| rules.iter().find_map(|rule| self.broken_rule(rule, statement)))
                    .or_else(|| self.lost_key(&rules, statement)),
            };
            if reason.is_none() {
                reason = self.broken_default(lease, &rules, statement).await?;
            }
            if let Some(reason) = reason {
                let RunningStatement { release, servers, method, .. } = statement;
                let servers = if *servers == 1 { "1 server runs".to_owned() } else { format!("{servers} servers run") };
                broken.push(format!("`{method}` of {release}, which {servers}: {reason}"));
            }
        }
        lease.forget_statements().await?;
        broken.dedup();
        Ok(broken)
    }

    /// Returns why a statement that writes may break a rule that is new.
    fn broken_rule(&self, rule: &Rule, statement: &RunningStatement) -> Option<String> {
        let Rule { table, columns, kind, text, .. } = rule;
        let of_table: Vec<_> = self.rules.iter().filter(|before| before.table == *table).collect();
        let written = written(&statement.words, &statement.sql, table)?;
        if of_table.is_empty() || of_table.iter().any(|before| before.is_same(rule)) {
            return None;
        }
        let are_known = columns.iter().all(|column| of_table.iter().any(|before| before.columns.contains(column)));
        let are_written = columns.iter().any(|column| written.words.contains(&column.to_lowercase()));
        let is_listed = |column: &String| written.listed.is_empty() || written.listed.contains(&column.to_lowercase());
        // A column that an insert does not list gets its default, which may not be valid any more.
        let has_default =
            |column: &String| of_table.iter().any(|before| before.kind == DEFAULT && before.columns.contains(column));
        let are_filled = written.is_insert && columns.iter().all(|column| is_listed(column) || has_default(column));
        let names = rule.column_names();
        let (is_broken, reason) = match kind.as_str() {
            COLUMN => {
                let before = of_table.iter().find(|before| before.kind == *kind && before.columns == *columns);
                let is_narrower = before.is_some_and(|before| !is_wider(&before.text, text));
                (is_narrower && are_written, format!("{names} becomes `{text}`"))
            }
            NOT_NULL => (are_known && are_written, format!("{names} cannot be null")),
            NO_DEFAULT => (written.is_insert && !columns.iter().all(is_listed), format!("{names} needs a value")),
            FOREIGN_KEY => (are_known && are_written, format!("{names} gets the {kind} `{text}`")),
            UNIQUE => {
                let is_unique = of_table.iter().any(|before| before.is_unique_within(columns));
                (are_known && !is_unique && (are_filled || are_written), format!("{names} becomes unique"))
            }
            CHECK | EXCLUDE => {
                let is_implied =
                    of_table.iter().any(|before| before.kind == *kind && is_longer_list(&before.text, text));
                let is_broken = are_known && !is_implied && (are_filled || are_written);
                (is_broken, format!("{names} gets the {kind} `{text}`"))
            }
            _ => (false, String::new()),
        };
        is_broken.then_some(reason)
    }

    /// Returns which rule the defaults of columns break that an insert does not list.
    async fn broken_default(
        &self,
        lease: &mut Lease,
        rules: &[Rule],
        statement: &RunningStatement,
    ) -> Result<Option<String>, sqlx::Error> {
        for rule in rules {
            let is_new = self.rules.iter().any(|before| before.table == rule.table)
                && !self.rules.iter().any(|before| before.is_same(rule));
            let listed = match written(&statement.words, &statement.sql, &rule.table) {
                Some(Written { is_insert: true, listed, .. }) if is_new && !listed.is_empty() => listed,
                _ => continue,
            };
            let default = |column: &String| {
                let is_default = |other: &&Rule| {
                    other.table == rule.table && other.kind == DEFAULT && other.columns.first() == Some(column)
                };
                let text = rules.iter().find(is_default)?.text.as_str();
                // The value of a function can be another one for each row.
                (!listed.contains(&column.to_lowercase()) && !text.is_empty() && !text.contains('(')).then_some(text)
            };
            let Some(defaults) = rule.columns.iter().map(default).collect::<Option<Vec<_>>>() else { continue };
            let row: Vec<_> =
                rule.columns.iter().zip(&defaults).map(|(column, text)| format!("{text} as {column}")).collect();
            let query = match (rule.kind.as_str(), &defaults[..], rule.text.rsplit_once(['(', ' '])) {
                (_, [], _) => continue,
                (UNIQUE, ..) if rule.text.is_empty() => "select '1'".to_owned(),
                (CHECK, ..) => {
                    let condition = rule.text.trim_start_matches("CHECK ");
                    format!("select '1' from (select {}) defaults where not ({condition})", row.join(", "))
                }
                (FOREIGN_KEY, [default], Some((start, column))) => {
                    let (table, column) = (start.rsplit(' ').next().unwrap_or_default(), column.trim_end_matches(')'));
                    // In a new database of MySQL, only the migrations have inserted rows.
                    let any = if lease.dialect() == Dialect::Mysql {
                        format!("exists (select 1 from {table}) and ")
                    } else {
                        String::new()
                    };
                    format!(
                        "select '1' from (select 1 as one) one where {any}not exists (select 1 from {table} where {column} = {default})"
                    )
                }
                _ => continue,
            };
            // A default or a condition that cannot be evaluated alone says nothing.
            if lease.text_rows_or_none(&query).await?.is_some_and(|rows| !rows.is_empty()) {
                let reason =
                    format!("{} gets the {} `{}`, which the default breaks", rule.column_names(), rule.kind, rule.text);
                return Ok(Some(reason.replace(" ``", "")));
            }
        }
        Ok(None)
    }

    /// Returns why a statement that says what to do about equal rows finds none any more.
    fn lost_key(&self, rules: &[Rule], statement: &RunningStatement) -> Option<String> {
        if !statement.words.iter().any(|word| matches!(word.as_str(), "conflict" | "duplicate" | "replace")) {
            return None;
        }
        let is_lost = |before: &&Rule| before.kind == UNIQUE && !rules.iter().any(|rule| rule.is_same(before));
        let is_used = |before: &&Rule| {
            written(&statement.words, &statement.sql, &before.table).is_some_and(|written| written.is_insert)
        };
        let lost = self.rules.iter().filter(is_lost).find(is_used)?;
        Some(format!("{} is not unique any more", lost.column_names()))
    }
}

impl RunningStatement {
    fn missing_column(&self, columns: &[Column]) -> Option<String> {
        self.columns.iter().find_map(|before| match columns.iter().find(|after| after.name == before.name) {
            None => Some(format!("the column `{}` is missing", before.name)),
            Some(after) => {
                let is_known = before.r#type != ColumnType::Unknown && after.r#type != ColumnType::Unknown;
                let is_changed = is_known && discriminant(&after.r#type) != discriminant(&before.r#type);
                is_changed.then(|| format!("the column `{}` has another type", before.name))
            }
        })
    }
}

/// Types in the order of their values: each type has all values of the types before it.
const WIDER_TYPES: [&[&str]; 6] = [
    &["smallint", "integer", "bigint", "numeric"],
    &["tinyint", "smallint", "mediumint", "int", "bigint", "decimal"],
    &["real", "double precision"],
    &["float", "double"],
    &["character varying", "text"],
    &["varchar", "text", "mediumtext", "longtext"],
];

/// Splits a text such as `varchar(20)` into its name, with what follows the parentheses, and the arguments in them.
fn split_arguments(text: &str) -> (String, Vec<String>) {
    let Some((name, rest)) = text.split_once('(') else { return (text.to_owned(), Vec::new()) };
    let (arguments, end) = rest.rsplit_once(')').unwrap_or((rest, ""));
    (format!("{name}{end}"), arguments.split(',').map(|argument| argument.trim().to_owned()).collect())
}

/// Returns `true` if a condition such as `mood in ('good', 'bad')` accepts the values of another one.
fn is_longer_list(before: &str, after: &str) -> bool {
    let ((old_name, old), (new_name, new)) = (split_arguments(before), split_arguments(after));
    let name = old_name.trim_end().to_lowercase();
    let is_list = old_name == new_name && name.ends_with(" in") && !name.ends_with(" not in");
    is_list && old.iter().all(|it| new.contains(it))
}

/// Returns `true` if a type, such as `varchar(20)`, has all values of another one.
fn is_wider(before: &str, after: &str) -> bool {
    let ((mut old_name, old), (new_name, new)) = (split_arguments(before), split_arguments(after));
    // Without the name of a character set, a text of MySQL has all characters.
    if let Some((name, _)) = old_name.split_once(" character set ").filter(|_| !new_name.contains(" character set ")) {
        old_name = name.to_owned();
    }
    if old_name != new_name {
        let from_old =
            |types: &&[&str]| types.iter().skip_while(|name| **name != old_name).any(|name| *name == new_name);
        return WIDER_TYPES.iter().any(from_old);
    }
    let numbers = |texts: &[String]| texts.iter().map(|text| text.parse::<i64>().ok()).collect::<Option<Vec<_>>>();
    match (numbers(&old), numbers(&new)) {
        // The number of digits that MySQL shows does not matter.
        _ if old_name.contains("int") || new.is_empty() => true,
        (Some(old), Some(new)) => match (&old[..], &new[..]) {
            ([old, old_scale], [new, new_scale]) => new_scale >= old_scale && new - new_scale >= old - old_scale,
            ([old], [new]) => new >= old,
            _ => false,
        },
        // The words of an enumeration.
        _ => !old.is_empty() && old.iter().all(|word| new.contains(word)),
    }
}
