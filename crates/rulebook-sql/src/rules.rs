//! The columns of the tables of a database, what the tables demand of values that are written to them, and what this
//! says about the statements of a method, beyond what the database rejects.

use rulebook::handler_kind::HandlerError;

use crate::call::{Missing, SqlMethod, Step};
use crate::database::{Dialect, Lease, TextRow};
use crate::page::Key;
use crate::statement::{Statement, check_conditions, unquoted_words};
use crate::value::{NamedValue, Target};

/// The kind of rule that is a column, whose text is its type.
pub(crate) const COLUMN: &str = "column";
/// The kinds of rules whose violation a method can name.
pub(crate) const NOT_NULL: &str = "not null";
pub(crate) const UNIQUE: &str = "unique";
pub(crate) const FOREIGN_KEY: &str = "foreign key";
pub(crate) const CHECK: &str = "check";
/// The kind of rule of PostgreSQL that no two rows overlap.
pub(crate) const EXCLUDE: &str = "exclude";
/// The kind of rule of a column that has a default.
pub(crate) const DEFAULT: &str = "default";

/// The kind of rule of a column that needs a value in each new row.
pub(crate) const NO_DEFAULT: &str = "no default";
/// The kind of rule that says that the table has triggers.
pub(crate) const TRIGGER: &str = "trigger";
/// The kind of rule of MySQL that values are not made up, except by `insert ignore`. It has no table.
pub(crate) const STRICT: &str = "strict";
/// The kind of rule that is the statement which has created the table.
const DEFINITION: &str = "definition";

/// A column of a table, or what the table demands of the values that are written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub table: String,
    /// The names of the columns; empty if they are not known.
    pub columns: Vec<String>,
    pub kind: String,
    pub text: String,
    /// The name in the errors of the database; empty if they have none.
    pub name: String,
}

impl Rule {
    /// Returns `true` if the rules demand the same, whatever their names are.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.table, &self.columns, &self.kind, &self.text) == (&other.table, &other.columns, &other.kind, &other.text)
    }

    /// Returns `true` if no two rows have the same values in these columns.
    pub(crate) fn is_unique_within(&self, columns: &[String]) -> bool {
        let is_total = self.kind == UNIQUE && self.text.is_empty() && !self.columns.is_empty();
        is_total && self.columns.iter().all(|column| columns.contains(column))
    }

    /// Returns the name of the table in lower case, without its schema.
    fn table_name(&self) -> String {
        self.table.rsplit('.').next().unwrap_or_default().to_lowercase()
    }

    /// Names the columns, or the table if the columns are not known.
    pub(crate) fn column_names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| format!("`{}.{column}`", self.table)).collect();
        if names.is_empty() { format!("`{}`", self.table) } else { names.join(", ") }
    }
}

/// Returns the columns and the rules of all tables.
pub(crate) async fn rules(lease: &mut Lease) -> Result<Vec<Rule>, sqlx::Error> {
    let (dialect, mut rows): (_, Vec<TextRow>) = (lease.dialect(), Vec::new());
    for alternatives in dialect.list_rules() {
        let mut found = Ok(Vec::new());
        for query in *alternatives {
            found = lease.text_rows(query, &[]).await;
            if found.is_ok() {
                break;
            }
        }
        rows.extend(found?);
    }
    let rule = |row: TextRow| {
        let [table, columns, kind, text, name] =
            <[Option<String>; 5]>::try_from(row).ok()?.map(Option::unwrap_or_default);
        let columns: Vec<_> = columns.split(',').filter(|column| !column.is_empty()).map(str::to_owned).collect();
        // The errors of SQLite name the columns; so do those of the others for a value that is null.
        let is_named_by_columns = kind == NOT_NULL || (dialect == Dialect::Sqlite && kind == UNIQUE);
        let name = match (is_named_by_columns, dialect) {
            (false, _) => name,
            (true, Dialect::Mysql) => columns.join(", "),
            (true, Dialect::Postgres) => {
                let table = table.rsplit('.').next().unwrap_or_default();
                columns.iter().map(|column| format!("{table}.{column}")).collect()
            }
            (true, _) => columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", "),
        };
        Some(Rule { table, columns, kind, text, name })
    };
    let mut rules: Vec<_> = rows.into_iter().filter_map(rule).collect();
    // SQLite has the checks only in the statement that has created the table.
    for definition in rules.extract_if(.., |rule| rule.kind == DEFINITION).collect::<Vec<_>>() {
        let check = |text| Rule { kind: CHECK.to_owned(), text, columns: Vec::new(), ..definition.clone() };
        rules.extend(check_conditions(&definition.text, dialect).into_iter().map(check));
    }
    let columns: Vec<_> = rules.iter().filter(|rule| rule.kind == COLUMN).cloned().collect();
    for check in rules.iter_mut().filter(|rule| rule.kind == CHECK && rule.columns.is_empty()) {
        let words = unquoted_words(&check.text, dialect);
        let is_used = |column: &&Rule| {
            column.table == check.table && column.columns.iter().any(|name| words.contains(&name.to_lowercase()))
        };
        check.columns = columns.iter().filter(is_used).flat_map(|column| column.columns.clone()).collect();
    }
    Ok(rules)
}

/// What a statement writes to a table.
pub(crate) struct Written<'w> {
    pub is_insert: bool,
    /// The columns that an insert lists; empty if it lists none.
    pub listed: Vec<String>,
    /// All words of what is written, among them the names of the columns.
    pub words: &'w [String],
}

/// Returns the columns that an insert lists in parentheses after the table, in lower case.
fn listed_columns(sql: &str, schema: Option<&str>, table: &str) -> Vec<String> {
    let text = sql.to_lowercase().replace(['"', '`', '[', ']'], "");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = schema.map_or(Vec::new(), |schema| vec![format!("into {schema}.{table}")]);
    let defaults = DEFAULT_SCHEMAS.iter().map(|schema| format!("into {schema}.{table}"));
    let defaults = defaults.chain([format!("into {table}")]).filter(|_| schema.is_none());
    let list = names.into_iter().chain(defaults).find_map(|name| {
        let rest = text[text.find(&name)? + name.len()..].trim_start().strip_prefix('(')?;
        Some(rest.split_once(')')?.0.trim().to_owned())
    });
    let is_list = |list: &String| !list.starts_with("select ") && !list.starts_with("with ");
    let list = list.filter(is_list).unwrap_or_default();
    list.split(',').map(|column| column.trim().to_owned()).filter(|column| !column.is_empty()).collect()
}

/// The usual names of the default schemas of PostgreSQL and SQLite.
const DEFAULT_SCHEMAS: [&str; 2] = ["public", "main"];

/// The words that can be between a verb and a table.
const BEFORE_TABLE: [&str; 8] = ["only", "ignore", "low_priority", "or", "replace", "abort", "fail", "rollback"];

/// Returns what a statement with these words writes to a table; `None` if it writes nothing to it.
pub(crate) fn written<'w>(words: &'w [String], sql: &str, table: &str) -> Option<Written<'w>> {
    let table = table.to_lowercase();
    // Without a schema, it is the default one.
    let (schema, table) = table.rsplit_once('.').map_or((None, table.as_str()), |(schema, name)| (Some(schema), name));
    words.iter().enumerate().find_map(|(at, verb)| {
        let is_insert = verb == "into";
        if !is_insert && verb != "update" {
            return None;
        }
        let after = &words[at + 1..];
        let start = after.iter().position(|word| !BEFORE_TABLE.contains(&word.as_str()))?;
        let is_schema = |name: &str| {
            let is_written = || sql.to_lowercase().replace(['"', '`'], "").contains(&format!("{name}.{table}"));
            schema.map_or(DEFAULT_SCHEMAS.contains(&name), |schema| schema == name) && is_written()
        };
        let rest = match &after[start..] {
            [name, rest @ ..] if *name == table && schema.is_none() => rest,
            [schema, name, rest @ ..] if *name == table && is_schema(schema) => rest,
            _ => return None,
        };
        let ends: &[&str] = if is_insert { &["returning"] } else { &["where", "returning"] };
        let end = rest.iter().position(|word| ends.contains(&word.as_str())).unwrap_or(rest.len());
        let listed = if is_insert { listed_columns(sql, schema, table) } else { Vec::new() };
        Some(Written { is_insert, listed, words: &rest[..end] })
    })
}

/// The words of statements that handle a violation themselves.
const HANDLING_WORDS: [&str; 4] = ["conflict", "duplicate", "ignore", "replace"];

/// The words of statements whose rows are not those of tables, so that other columns can be unique.
const GROUPING_WORDS: [&str; 4] = ["group", "distinct", "union", "with"];

/// Returns the errors of a method, and warnings about what may be meant.
pub(crate) fn check_tables(method: &SqlMethod, rules: &[Rule]) -> (Vec<HandlerError>, Vec<HandlerError>) {
    let dialect = method.database.settings.dialect;
    let mut errors = Vec::new();
    // Domains and functions can have further names.
    let mut warnings = method.error_names.unknown_constraints(rules, dialect);
    let output = method.prepared.get().and_then(|prepared| prepared.output);
    for (index, step) in method.steps.iter().enumerate() {
        let Some(statement) = step.variants.first() else { continue };
        let words = unquoted_words(statement.text(), dialect);
        let used = rules.iter().filter(|rule| words.contains(&rule.table_name())).collect();
        let compared = statement.compared_words(dialect);
        let checked = CheckedStep { method, step, statement, words, used, compared };
        let locate = |error: HandlerError| statement.source().locate(error.at(statement.span()));
        let missing = checked.missing_values().into_iter().map(locate);
        // Without its strict mode, MySQL makes up the values.
        let is_strict = dialect != Dialect::Mysql || rules.iter().any(|rule| rule.kind == STRICT);
        match is_strict && !checked.has_any(&["ignore"]) {
            true => errors.extend(missing),
            false => warnings.extend(missing),
        }
        match dialect {
            Dialect::Sqlite => warnings.extend(checked.quoted_texts(rules)),
            Dialect::Postgres => errors.extend(checked.conflict_without_key().map(locate)),
            Dialect::Mysql => {}
        }
        errors.extend(arrays_in_lists(method, statement, dialect).map(locate));
        // A statement before can have checked the values.
        if method.steps[..index].iter().all(|before| !matches!(before.missing, Missing::Error(_))) {
            warnings.extend(checked.undeclared_violations().into_iter().map(locate));
        }
        warnings.extend(checked.equal_keys());
        // The rows of other statements are not in the response.
        if step.shape.is_some() || output == Some(index) {
            warnings.extend(checked.null_columns().into_iter().map(locate));
        }
    }
    (errors, warnings)
}

/// Returns an error for a list of values `in (:names)` whose only value is an array, which no value equals.
fn arrays_in_lists(method: &SqlMethod, statement: &Statement, dialect: Dialect) -> Option<HandlerError> {
    let is_array = |name: &&NamedValue| name.target == Target::Nested && dialect != Dialect::Postgres;
    let text = statement.text().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let is_list = |name: &&NamedValue| {
        let name = name.name.to_lowercase();
        [format!("in (:{name})"), format!("in(:{name})"), format!("in ( :{name} )")]
            .iter()
            .any(|list| text.contains(list))
    };
    let name = &method.values.iter().filter(is_array).find(is_list)?.name;
    let help = match dialect {
        Dialect::Sqlite => format!("write `in (select value from json_each(:{name}))`"),
        _ => format!("write `in (select id from json_table(:{name}, '$[*]' columns (id int path '$')) as ids)`"),
    };
    Some(HandlerError::new(format!("`in (:{name})` compares with the whole array, not with its items")).help(help))
}

/// A statement of a method, and what the tables demand of it.
struct CheckedStep<'c> {
    method: &'c SqlMethod,
    step: &'c Step,
    statement: &'c Statement,
    words: Vec<String>,
    /// The rules of the tables that the statement names.
    used: Vec<&'c Rule>,
    /// The words that a condition compares, and `true` for those that it compares by `=`.
    compared: Vec<(String, bool)>,
}

impl CheckedStep<'_> {
    fn has_any(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(&word.as_str()))
    }

    fn written(&self, rule: &Rule) -> Option<Written<'_>> {
        written(&self.words, self.statement.text(), &rule.table)
    }

    /// Returns a warning for each text in double quotes, in which SQL has names. SQLite reads them as texts if there is
    /// no such column.
    fn quoted_texts(&self, rules: &[Rule]) -> Vec<HandlerError> {
        let Self { method, statement, words, .. } = self;
        let keys: Vec<_> = method.page.iter().flat_map(|page| page.orders.iter().flatten()).collect();
        let quoted = statement.quoted_names().into_iter().filter(|(name, _)| {
            let is_name = |known: &String| known.eq_ignore_ascii_case(name);
            let is_alias = words.windows(2).any(|pair| pair[0] == "as" && is_name(&pair[1]));
            let is_known = is_alias || keys.iter().any(|key| is_name(&key.column));
            let of_rule =
                |rule: &Rule| rule.columns.iter().any(is_name) || rule.table_name().eq_ignore_ascii_case(name);
            !is_known && !rules.iter().any(of_rule)
        });
        let warning = |(name, range): (String, _)| {
            let message =
                format!("`\"{name}\"` is no column, so that SQLite reads it as a text, and other databases fail");
            let error = HandlerError::new(message).at(statement.part(range));
            statement.source().locate(error.help(format!("write texts in single quotes: `'{name}'`")))
        };
        quoted.map(warning).collect()
    }

    /// Returns an error for each column that needs a value, and gets none from a statement that lists the others.
    fn missing_values(&self) -> Vec<HandlerError> {
        let has_trigger = |table: &str| self.used.iter().any(|rule| rule.kind == TRIGGER && rule.table == table);
        let missing =
            self.used.iter().filter(|rule| rule.kind == NO_DEFAULT && !has_trigger(&rule.table)).filter_map(|rule| {
                let written = self.written(rule).filter(|written| !written.listed.is_empty())?;
                let is_listed = rule.columns.iter().all(|column| written.listed.contains(&column.to_lowercase()));
                let error = HandlerError::new(format!(
                    "{} needs a value, which the statement does not give",
                    rule.column_names()
                ));
                (!is_listed).then(|| error.help("list the column, or give it a default in a migration"))
            });
        missing.collect()
    }

    /// Returns an error if PostgreSQL finds no unique index for the columns of `on conflict (…)`.
    fn conflict_without_key(&self) -> Option<HandlerError> {
        let Self { words, used, .. } = self;
        let at = words.windows(2).position(|pair| pair == ["on", "conflict"])? + 2;
        let end = words[at..].iter().position(|word| matches!(word.as_str(), "do" | "where"))?;
        let columns = &words[at..at + end];
        let is_column = |name: &String| {
            used.iter()
                .any(|rule| rule.kind == COLUMN && rule.columns.iter().any(|column| column.to_lowercase() == *name))
        };
        let is_key = |rule: &&Rule| {
            let names: Vec<_> = rule.columns.iter().map(|column| column.to_lowercase()).collect();
            let is_possible = rule.text.is_empty() || words[at + end] == "where";
            rule.kind == UNIQUE
                && is_possible
                && names.len() == columns.len()
                && names.iter().all(|it| columns.contains(it))
        };
        // An expression can be the key of an index, whose columns are not known.
        if columns.is_empty() || !columns.iter().all(is_column) || used.iter().any(is_key) {
            return None;
        }
        let message = format!("no unique index has exactly the columns of `on conflict ({})`", columns.join(", "));
        Some(HandlerError::new(message).help("add one in a migration, or name the columns of another one"))
    }

    /// Warns about constraints that values of parameters can violate, and for which the method names no error.
    fn undeclared_violations(&self) -> Vec<HandlerError> {
        let method = self.method;
        if self.has_any(&HANDLING_WORDS) || method.error_names.has_raised() {
            return Vec::new();
        }
        let assigned = self.statement.assignments(method.database.settings.dialect);
        let value_of = |column: &String| assigned.iter().find(|(name, _)| *name == column.to_lowercase());
        let parameter_of = |column: &String| {
            let name = value_of(column)?.1.strip_prefix(':')?;
            method.values.iter().find(|value| value.name == name)?.request.as_ref()
        };
        // An expression such as `stock - :count`, whose value no type of a parameter bounds.
        let is_calculated = |column: &String| {
            value_of(column).is_some_and(|(name, value)| value.to_lowercase().starts_with(name) && value.contains(':'))
        };
        // An update of rows that have the value.
        let is_kept = |rule: &Rule| {
            let is_compared = |column: &String| self.compared.contains(&(column.to_lowercase(), true));
            self.words.first().is_some_and(|word| word == "update") && rule.columns.iter().all(is_compared)
        };
        let undeclared = self.used.iter().filter_map(|rule| {
            self.written(rule)?;
            let is_given = !rule.columns.is_empty() && rule.columns.iter().all(|column| parameter_of(column).is_some());
            let may_be_null =
                || rule.columns.iter().filter_map(parameter_of).any(|it| it.optional && it.default.is_none());
            let (key, what) = match rule.kind.as_str() {
                UNIQUE if is_given && rule.text.is_empty() && !is_kept(rule) => {
                    ("on_unique", "a value that another row has")
                }
                FOREIGN_KEY if is_given => ("on_foreign_key", "a value without a row to which it refers"),
                NOT_NULL if is_given && may_be_null() => ("on_not_null", "null"),
                CHECK if rule.columns.iter().any(is_calculated) => ("on_check", "a value that its `check` refuses"),
                _ => return None,
            };
            let error = HandlerError::new(format!("{} can get {what}, which is an error 500", rule.column_names()));
            let help =
                format!("name an error of the method in `{key}`, or write `\"{key}\": false` if it cannot happen");
            (!method.error_names.mentions(key)).then(|| error.help(help))
        });
        undeclared.collect()
    }

    /// Warns if two rows of a page may have the same keys.
    fn equal_keys(&self) -> Option<HandlerError> {
        let Self { method, step, words, used, compared, .. } = self;
        let page = method.page.as_ref().filter(|_| step.is_paged)?;
        if used.is_empty() || self.has_any(&GROUPING_WORDS) {
            return None;
        }
        // The column that a name in the order stands for.
        let column = |name: &String| {
            let alias = words.windows(3).find(|three| three[1] == "as" && three[2] == name.to_lowercase());
            alias.map_or_else(|| name.clone(), |three| three[0].clone())
        };
        // All rows have the same value in a column that a condition compares by `=`.
        let equal = compared.iter().filter(|(_, is_equal)| *is_equal && !self.has_any(&["or"]));
        let equal: Vec<_> = equal.map(|(word, _)| word.clone()).collect();
        let is_never_null = |rule: &Rule, column: &String| {
            let is_of_column = |it: &&Rule| it.table == rule.table && it.columns == [column.clone()];
            used.iter().copied().filter(is_of_column).any(|it| it.kind == NOT_NULL)
        };
        let is_unique = |rule: &Rule, columns: &[String]| {
            rule.is_unique_within(columns)
                && rule.columns.iter().all(|it| equal.contains(it) || is_never_null(rule, it))
        };
        // The key of an index can be an expression, and a condition can be that of a partial index.
        let is_unknown = |rule: &&&Rule| {
            rule.kind == UNIQUE && (rule.columns.is_empty() || (!rule.text.is_empty() && self.has_any(&["where"])))
        };
        if used.iter().any(|rule| is_unknown(&rule)) {
            return None;
        }
        let names_of = |keys: &Vec<Key>| keys.iter().map(|key| key.column.clone()).collect::<Vec<_>>();
        let mut orders = page.orders.iter().map(names_of);
        let names = orders.find(|names| {
            let columns: Vec<_> = names.iter().map(column).chain(equal.clone()).collect();
            !used.iter().any(|rule| is_unique(rule, &columns))
        })?;
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "two rows of the page may have the same values in {}, and a page that ends between them is an error",
            names.join(", ")
        );
        Some(HandlerError::new(message).at(page.settings.span).help("add the primary key to `by`"))
    }

    /// Warns about columns that can be null beside outputs that cannot.
    fn null_columns(&self) -> Vec<HandlerError> {
        let Self { method, step, words, used, .. } = self;
        let has_words = |expected: &[&str]| words.windows(expected.len()).any(|found| found == expected);
        let shape = step.shape.as_ref().unwrap_or(&method.shape);
        let warnings = shape.required_columns().filter_map(|column| {
            let name = column.to_lowercase();
            let of_name = |kind: &str| {
                let is_of_name =
                    |rule: &&&Rule| rule.kind == kind && rule.columns.iter().any(|it| it.to_lowercase() == name);
                used.iter().filter(is_of_name).count()
            };
            // If another table has the column, too, the statement does not say whose it is.
            let can_be_null = of_name(COLUMN) == 1 && of_name(NOT_NULL) == 0;
            let is_not_null = |words: &[String]| {
                let found = words.windows(4).find(|four| four[1] == name && four[2..] == ["is", "null"]);
                found.is_none_or(|four| four[0] == "not")
            };
            let condition =
                words.iter().position(|word| matches!(word.as_str(), "where" | "on" | "having" | "using" | "set"));
            // A condition of the column, or a new value, excludes null.
            let is_bound = condition.is_some_and(|at| words[at..].contains(&name) && is_not_null(&words[at..]));
            let is_bound = is_bound && !self.has_any(&["or"]);
            let is_other = has_words(&["as", &name])
                || has_words(&[&name, "is", "not", "null"])
                || is_bound
                || matches!(words.first()?.as_str(), "insert" | "with")
                || !self.statement.returns_column(&name);
            (can_be_null && !is_other).then(|| {
                let message =
                    format!("the column `{column}` can be null, but the output cannot: a row without it is an error");
                let help = "make the output optional (`?` before its type), add `not null` to the column, or write \
                            `coalesce(…) as …` or a condition `… is not null`";
                HandlerError::new(message).help(help)
            })
        });
        warnings.collect()
    }
}
