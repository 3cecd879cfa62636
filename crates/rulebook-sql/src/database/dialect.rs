//! The kinds of databases.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

impl Dialect {
    /// Returns the kind of database that an address names; `None` if it names no supported kind.
    pub(crate) fn from_url(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            _ => None,
        }
    }

    /// SQLite is locked for writing at once, because a transaction that reads first could fail when it writes.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres | Self::Mysql => "BEGIN",
        }
    }

    /// Returns the statement that begins a transaction in which all statements see the same state of the tables. They
    /// only read, unless they call a function that writes.
    pub(crate) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Self::Mysql => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        }
    }

    /// Returns the conditions that two terms are the same, perhaps both null, and that they are not.
    pub(crate) fn same_or_null(self, one: &str, other: &str) -> (String, String) {
        match self {
            Self::Sqlite => (format!("{one} is {other}"), format!("{one} is not {other}")),
            Self::Postgres => {
                (format!("{one} is not distinct from {other}"), format!("{one} is distinct from {other}"))
            }
            Self::Mysql => (format!("{one} <=> {other}"), format!("not ({one} <=> {other})")),
        }
    }

    /// Returns queries for the columns of all tables, and for what the tables demand of the values that are written to
    /// them: the table, its columns with commas between them, the kind of rule, its text and its name. A column has the
    /// kind `column`. The name of a table outside of the default schema has its schema before a dot. Of alternatives,
    /// one succeeds.
    pub(crate) fn list_rules(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Sqlite => &[
                &["with c as (select t.name as tab, t.sql, c.* from sqlite_master t, pragma_table_xinfo(t.name) c \
                   where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\' \
                   and t.name not in (select name from pragma_table_list where type = 'shadow')) \
                   select tab, name, 'column', '', '' from c union all \
                   select tab, name, 'not null', '', '' from c where \"notnull\" or pk > 0 union all \
                   select tab, name, 'default', dflt_value, '' from c where dflt_value is not null union all \
                   select tab, name, 'no default', '', '' from c \
                   where (\"notnull\" or pk > 0) and dflt_value is null \
                   and hidden = 0 and not (pk = 1 \
                   and upper(type) = 'INTEGER' and lower(sql) not like '%without rowid%' \
                   and (select count(*) from c other where other.tab = c.tab and other.pk > 0) = 1)"],
                &["select t.name, (select case when count(*) = count(c.name) then group_concat(c.name) else '' end \
                   from pragma_index_info(i.name) c), 'unique', case when i.partial then 'partial' else '' end, '' \
                   from sqlite_master t, pragma_index_list(t.name) i where t.type = 'table' and i.\"unique\" union all \
                   select t.name, group_concat(c.name), 'unique', '', '' from sqlite_master t, pragma_table_info(t.name) c \
                   where t.type = 'table' and c.pk > 0 group by t.name union all \
                   select t.name, f.\"from\", 'foreign key', 'references ' || f.\"table\" || '(' || coalesce(f.\"to\", '') || ')', '' \
                   from sqlite_master t, pragma_foreign_key_list(t.name) f where t.type = 'table' union all \
                   select tbl_name, '', 'trigger', name, '' from sqlite_master where type = 'trigger' union all \
                   select name, '', 'definition', sql, '' from sqlite_master where type = 'table'"],
            ],
            Self::Postgres => {
                &[&["with t as (select c.oid, case when n.nspname = current_schema() then c.relname::text \
                 else n.nspname || '.' || c.relname end as name \
                 from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                 where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema$)' \
                 and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')), \
                 a as (select t.name, c.* from t join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 \
                 and not c.attisdropped order by t.name, c.attnum) \
                 select name, attname::text, 'column', case y.typtype \
                 when 'e' then 'enum(' || (select string_agg(quote_literal(e.enumlabel), ',') from pg_enum e \
                 where e.enumtypid = y.oid) || ')' \
                 when 'd' then format_type(atttypid, atttypmod) || case when y.typnotnull then ' not null' else '' end \
                 || coalesce((select string_agg(' ' || pg_get_constraintdef(d.oid), '') from pg_constraint d \
                 where d.contypid = y.oid), '') else format_type(atttypid, atttypmod) end, '' \
                 from a join pg_type y on y.oid = a.atttypid union all \
                 select name, attname::text, 'not null', '', '' from a join pg_type y on y.oid = a.atttypid \
                 where attnotnull or y.typnotnull or exists (select from pg_constraint d where d.contypid = y.oid \
                 and pg_get_constraintdef(d.oid) ilike '%value is not null%') union all \
                 select name, attname::text, 'default', (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d \
                 where d.adrelid = attrelid and d.adnum = attnum), '' from a where atthasdef or attidentity <> '' union all \
                 select name, attname::text, 'no default', '', '' from a \
                 where attnotnull and not atthasdef and attidentity = '' \
                 and not exists (select from pg_type d where d.oid = atttypid and d.typdefault is not null) union all \
                 select t.name, coalesce((select string_agg(c.attname::text, ',' order by c.attnum) from pg_attribute c \
                 where c.attrelid = t.oid and i.indexprs is null \
                 and c.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])), ''), 'unique', \
                 case when i.indimmediate then '' else 'deferrable ' end || coalesce(pg_get_expr(i.indpred, i.indrelid), ''), \
                 (select r.relname::text from pg_class r where r.oid = i.indexrelid) \
                 from t join pg_index i on i.indrelid = t.oid and i.indisunique union all \
                 select t.name, coalesce((select string_agg(c.attname::text, ',' order by c.attnum) from pg_attribute c \
                 where c.attrelid = t.oid and c.attnum = any (k.conkey)), ''), \
                 case k.contype when 'c' then 'check' when 'f' then 'foreign key' else 'exclude' end, \
                 regexp_replace(pg_get_constraintdef(k.oid), \
                 case k.contype when 'f' then ' (MATCH|ON|DEFERRABLE|INITIALLY|NOT VALID).*' else ' NOT VALID$' end, ''), k.conname::text \
                 from t join pg_constraint k on k.conrelid = t.oid and k.contype in ('c', 'f', 'x') union all \
                 select t.name, '', 'trigger', g.tgname::text, '' \
                 from t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal"]]
            }
            Self::Mysql => &[
                &["with c as (select c.* from information_schema.columns c join information_schema.tables t \
                   on t.table_schema = c.table_schema and t.table_name = c.table_name \
                   where c.table_schema = database() and t.table_type = 'BASE TABLE' \
                   order by c.table_name, c.ordinal_position) \
                   select cast(table_name as char), cast(column_name as char), 'column', cast(concat(column_type, \
                   if(coalesce(character_set_name, 'utf8mb4') = 'utf8mb4', '', concat(' character set ', character_set_name)), \
                   if(extra like '%GENERATED%', ' generated', '')) as char), '' from c \
                   union all \
                   select cast(table_name as char), cast(column_name as char), 'not null', '', '' from c \
                   where is_nullable = 'NO' union all \
                   select cast(table_name as char), cast(column_name as char), 'default', cast(column_default as char), '' from c \
                   where column_default <> 'NULL' union all \
                   select cast(table_name as char), cast(column_name as char), 'no default', '', '' from c \
                   where is_nullable = 'NO' and column_default is null and data_type <> 'enum' \
                   and extra not like '%auto_increment%' \
                   and extra not like '%GENERATED%'"],
                &["select cast(table_name as char), cast(group_concat(column_name order by seq_in_index) as char), \
                   'unique', '', cast(index_name as char) from information_schema.statistics \
                   where table_schema = database() and non_unique = 0 \
                   group by table_name, index_name"],
                &[
                    "select cast(table_name as char), cast(group_concat(column_name order by ordinal_position) as char), \
                   'foreign key', cast(concat('references ', max(referenced_table_name), '(', \
                   group_concat(referenced_column_name order by ordinal_position), ')') as char), \
                   cast(constraint_name as char) from information_schema.key_column_usage \
                   where table_schema = database() and referenced_table_name is not null \
                   group by table_name, constraint_name",
                ],
                &["select '', '', 'strict', '', '' from (select 1) one where @@sql_mode like '%STRICT%'"],
                &["select cast(event_object_table as char), '', 'trigger', cast(trigger_name as char), '' \
                   from information_schema.triggers where trigger_schema = database()"],
                &[
                    "select cast(table_name as char), '', 'check', cast(check_clause as char), cast(constraint_name as char) \
                     from information_schema.check_constraints where constraint_schema = database()",
                    // In MySQL, the names of checks are unique, but have no table.
                    "select cast(t.table_name as char), '', 'check', cast(c.check_clause as char), \
                     cast(c.constraint_name as char) \
                     from information_schema.check_constraints c join information_schema.table_constraints t \
                     on t.constraint_schema = c.constraint_schema and t.constraint_name = c.constraint_name \
                     where c.constraint_schema = database()",
                ],
            ],
        }
    }

    /// Returns the expression for the number of seconds since 1970.
    pub(crate) fn unix_time(self) -> &'static str {
        match self {
            Self::Sqlite => "unixepoch()",
            // `now` is the begin of the transaction.
            Self::Postgres => "extract(epoch from clock_timestamp())::bigint",
            Self::Mysql => "unix_timestamp()",
        }
    }

    /// Returns the query for the names of the databases of a server that a statement can name.
    pub(crate) fn list_schemas(self) -> &'static str {
        match self {
            Self::Mysql => "select cast(schema_name as char) from information_schema.schemata",
            Self::Sqlite | Self::Postgres => "select '' where 1 = 0",
        }
    }

    /// Returns the query for the number of rows of a table, and those of the values in its columns, as texts.
    pub(crate) fn count_rows(self, table: &str, columns: &[String]) -> String {
        let (quote, text) = match self {
            Self::Sqlite | Self::Postgres => ('"', "text"),
            Self::Mysql => ('`', "char"),
        };
        let quoted = |part: &str| format!("{quote}{}{quote}", part.replace(quote, &format!("{quote}{quote}")));
        // Only PostgreSQL has names with a schema.
        let name = match table.split_once('.').filter(|_| self == Self::Postgres) {
            Some((schema, table)) => format!("{}.{}", quoted(schema), quoted(table)),
            None => quoted(table),
        };
        let counts = columns.iter().map(|column| format!(", cast(count({}) as {text})", quoted(column)));
        format!("select cast(count(*) as {text}){} from {name}", counts.collect::<String>())
    }

    /// Returns statements that limit the time of statements; only one of them has to succeed. SQLite needs none,
    /// because the handler interrupts it.
    pub(crate) fn limit_time(self, limit: Duration) -> Vec<String> {
        let millis = limit.as_millis();
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres => vec![format!("SET statement_timeout = {millis}")],
            // MariaDB counts in seconds, and MySQL limits only selections.
            Self::Mysql => vec![
                format!("SET SESSION max_statement_time = {}", limit.as_secs_f64()),
                format!("SET SESSION max_execution_time = {millis}"),
            ],
        }
    }
}
