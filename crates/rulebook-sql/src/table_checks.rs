//! What the tables say about the statements of a method, beyond what the database rejects.

use rulebook::handler_kind::HandlerError;

use crate::call::{Missing, SqlMethod, Step};
use crate::database::Dialect;
use crate::page::Key;
use crate::rules::{CHECK, COLUMN, FOREIGN_KEY, NO_DEFAULT, NOT_NULL, Rule, STRICT, TRIGGER, UNIQUE, written};
use crate::statement::{Statement, words};
use crate::target::Target;
use crate::value::NamedValue;

/// The words of statements that handle a violation themselves.
const HANDLING_WORDS: [&str; 4] = ["conflict", "duplicate", "ignore", "replace"];

/// The words of statements whose rows are not those of tables, so that other columns can be unique.
const GROUPING_WORDS: [&str; 4] = ["group", "distinct", "union", "with"];

/// Returns the errors of a method, and warnings about what may be meant.
pub(crate) fn check_tables(
    method: &SqlMethod,
    rules: &[Rule],
    dialect: Dialect,
) -> (Vec<HandlerError>, Vec<HandlerError>) {
    let mut errors = Vec::new();
    // Domains and functions can have further names.
    let mut warnings = method.error_names.unknown_constraints(rules, dialect);
    let output = method.prepared.get().and_then(|prepared| prepared.output);
    for (index, step) in method.steps.iter().enumerate() {
        let Some(statement) = step.variants.first() else { continue };
        let words = words(&statement.text().replace(['"', '`'], ""), dialect).unwrap_or_default();
        let is_used = |rule: &&Rule| words.contains(&table_name(rule));
        let used: Vec<_> = rules.iter().filter(is_used).collect();
        let locate = |error: HandlerError| statement.source().locate(error.at(statement.span()));
        let missing = missing_values(&words, statement, &used).into_iter().map(locate);
        // Without its strict mode, MySQL makes up the values.
        let is_strict = dialect != Dialect::Mysql || rules.iter().any(|rule| rule.kind == STRICT);
        match is_strict && !words.iter().any(|word| word == "ignore") {
            true => errors.extend(missing),
            false => warnings.extend(missing),
        }
        errors.extend(conflict_without_key(&words, &used, dialect).map(locate));
        if dialect == Dialect::Sqlite {
            warnings.extend(quoted_texts(method, statement, &words, rules));
        }
        errors.extend(arrays_in_lists(method, statement, dialect).into_iter().map(locate));
        let compared = statement.compared_words(dialect);
        // A statement before can have checked the values.
        if method.steps[..index].iter().all(|before| !matches!(before.missing, Missing::Error(_))) {
            warnings.extend(undeclared_violations(method, statement, &words, &used, &compared).into_iter().map(locate));
        }
        warnings.extend(equal_keys(method, step, &words, &used, &compared));
        // The rows of other statements are not in the response.
        if step.shape.is_some() || output == Some(index) {
            warnings.extend(null_columns(method, step, statement, &words, &used));
        }
    }
    (errors, warnings)
}

/// Returns a warning for each text in double quotes, in which SQL has names. SQLite reads them as texts if there is no
/// such column.
fn quoted_texts(method: &SqlMethod, statement: &Statement, words: &[String], rules: &[Rule]) -> Vec<HandlerError> {
    let keys: Vec<_> = method.page.iter().flat_map(|page| page.orders.iter().flatten()).collect();
    let quoted = statement.quoted_names().into_iter().filter(|(name, _)| {
        let is_name = |known: &String| known.eq_ignore_ascii_case(name);
        let is_alias = words.windows(2).any(|pair| pair[0] == "as" && is_name(&pair[1]));
        let is_known = is_alias || keys.iter().any(|key| is_name(&key.column));
        let of_rule = |rule: &Rule| rule.columns.iter().any(is_name) || table_name(rule).eq_ignore_ascii_case(name);
        !is_known && !rules.iter().any(of_rule)
    });
    let warning = |(name, range): (String, _)| {
        let message = format!("`\"{name}\"` is no column, so that SQLite reads it as a text, and other databases fail");
        let error = HandlerError::new(message).at(statement.part(range));
        statement.source().locate(error.help(format!("write texts in single quotes: `'{name}'`")))
    };
    quoted.map(warning).collect()
}

/// Returns the name of the table of a rule in lower case, without its schema.
fn table_name(rule: &Rule) -> String {
    rule.table.rsplit('.').next().unwrap_or_default().to_lowercase()
}

/// Returns an error for each column that needs a value, and gets none from a statement that lists the others.
fn missing_values(words: &[String], statement: &Statement, used: &[&Rule]) -> Vec<HandlerError> {
    let has_trigger = |table: &str| used.iter().any(|rule| rule.kind == TRIGGER && rule.table == table);
    let missing = used.iter().filter(|rule| rule.kind == NO_DEFAULT && !has_trigger(&rule.table)).filter_map(|rule| {
        let written = written(words, statement.text(), &rule.table).filter(|written| !written.listed.is_empty())?;
        let is_listed = rule.columns.iter().all(|column| written.listed.contains(&column.to_lowercase()));
        let error =
            HandlerError::new(format!("{} needs a value, which the statement does not give", rule.column_names()));
        (!is_listed).then(|| error.help("list the column, or give it a default in a migration"))
    });
    missing.collect()
}

/// Returns an error if PostgreSQL finds no unique index for the columns of `on conflict (…)`.
fn conflict_without_key(words: &[String], used: &[&Rule], dialect: Dialect) -> Option<HandlerError> {
    let at = words.windows(2).position(|pair| pair == ["on", "conflict"]).filter(|_| dialect == Dialect::Postgres)? + 2;
    let end = words[at..].iter().position(|word| matches!(word.as_str(), "do" | "where"))?;
    let columns = &words[at..at + end];
    let is_column = |name: &String| {
        used.iter().any(|rule| rule.kind == COLUMN && rule.columns.iter().any(|column| column.to_lowercase() == *name))
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

/// Warns about constraints that values of parameters can violate, and for which the method names no error.
fn undeclared_violations(
    method: &SqlMethod,
    statement: &Statement,
    words: &[String],
    used: &[&Rule],
    compared: &[(String, bool)],
) -> Vec<HandlerError> {
    let is_handled = words.iter().any(|word| HANDLING_WORDS.contains(&word.as_str()));
    if is_handled || method.error_names.has_raised() {
        return Vec::new();
    }
    let assigned = statement.assignments(method.database.settings.dialect);
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
        let is_compared = |column: &String| compared.contains(&(column.to_lowercase(), true));
        words.first().is_some_and(|word| word == "update") && rule.columns.iter().all(is_compared)
    };
    let undeclared = used.iter().filter_map(|rule| {
        written(words, statement.text(), &rule.table)?;
        let is_given = !rule.columns.is_empty() && rule.columns.iter().all(|column| parameter_of(column).is_some());
        let may_be_null = || rule.columns.iter().filter_map(parameter_of).any(|it| it.optional && it.default.is_none());
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
        let help = format!("name an error of the method in `{key}`, or write `\"{key}\": false` if it cannot happen");
        (!method.error_names.mentions(key)).then(|| error.help(help))
    });
    undeclared.collect()
}

/// Warns if two rows of a page may have the same keys.
fn equal_keys(
    method: &SqlMethod,
    step: &Step,
    words: &[String],
    used: &[&Rule],
    compared: &[(String, bool)],
) -> Option<HandlerError> {
    let page = method.page.as_ref().filter(|_| step.is_paged)?;
    if used.is_empty() || words.iter().any(|word| GROUPING_WORDS.contains(&word.as_str())) {
        return None;
    }
    // The column that a name in the order stands for.
    let column = |name: &String| {
        let alias = words.windows(3).find(|three| three[1] == "as" && three[2] == name.to_lowercase());
        alias.map_or_else(|| name.clone(), |three| three[0].clone())
    };
    // All rows have the same value in a column that a condition compares by `=`.
    let equal = compared.iter().filter(|(_, is_equal)| *is_equal && !words.contains(&"or".to_owned()));
    let equal: Vec<_> = equal.map(|(word, _)| word.clone()).collect();
    let is_never_null = |rule: &Rule, column: &String| {
        let is_of_column = |it: &&Rule| it.table == rule.table && it.columns == [column.clone()];
        used.iter().copied().filter(is_of_column).any(|it| it.kind == NOT_NULL)
    };
    let is_unique = |rule: &Rule, columns: &[String]| {
        rule.is_unique_within(columns) && rule.columns.iter().all(|it| equal.contains(it) || is_never_null(rule, it))
    };
    // The key of an index can be an expression, and a condition can be that of a partial index.
    let is_unknown = |rule: &&&Rule| {
        rule.kind == UNIQUE
            && (rule.columns.is_empty() || (!rule.text.is_empty() && words.contains(&"where".to_owned())))
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
    Some(HandlerError::new(message).at(page.span).help("add the primary key to `by`"))
}

/// Warns about columns that can be null beside outputs that cannot.
fn null_columns(
    method: &SqlMethod,
    step: &Step,
    statement: &Statement,
    words: &[String],
    used: &[&Rule],
) -> Vec<HandlerError> {
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
        let is_bound = is_bound && !words.contains(&"or".to_owned());
        let is_other = has_words(&["as", &name])
            || has_words(&[&name, "is", "not", "null"])
            || is_bound
            || matches!(words.first()?.as_str(), "insert" | "with")
            || !statement.returns_column(&name);
        (can_be_null && !is_other).then(|| {
            let message =
                format!("the column `{column}` can be null, but the output cannot: a row without it is an error");
            let help = "make the output optional (`?` before its type), add `not null` to the column, or write \
                        `coalesce(…) as …` or a condition `… is not null`";
            statement.source().locate(HandlerError::new(message).at(statement.span()).help(help))
        })
    });
    warnings.collect()
}
