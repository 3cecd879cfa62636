//! `rulebook usage`: shows the callers of methods.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rulebook::usage::{self, MAX_DAYS, MethodUsage, UsageDays};
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

use crate::output::{self, did_you_mean};
use crate::{AddHandlers, Exit, Settings, validate_with_data};

pub(super) const DEFAULT_DAYS: u8 = 7;

const EXAMPLES: &str = "\
Examples:
  rulebook usage
  rulebook usage --deprecated --days 30
  rulebook usage --method article.get --format json

A running server adds the requests to the file usage.json in the --data folder once a minute, and when it stops. A \
caller is the name of an API key, `-user` for all other credentials, or `-anonymous`. Beyond a maximum of keys, further \
ones are `-other`. Refused requests count too; a parameter counts if an accepted request contains it.

Exit codes: 0 success; 1 the definition has errors, or there is no such method; 2 invalid usage; 3 the file cannot be \
read.";

/// Show the callers of methods: how often and when last they called each, and the parameters of these requests.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct UsageOptions {
    /// Show only the method with this id; `rulebook routes` lists the ids.
    #[arg(long, value_name = "ID")]
    method: Option<String>,
    /// Show only methods that are deprecated.
    #[arg(long)]
    deprecated: bool,
    /// Number of days up to this one, by the clock in UTC.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_DAYS, value_parser = days_parser())]
    days: u8,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn days_parser() -> clap::builder::RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(1..=i64::from(MAX_DAYS))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, for people.
    Text,
    /// A JSON array of objects with `caller`, `method`, `requests`, `parameters` and `last_day`.
    Json,
}

const COLUMN_HEADINGS: [&str; 5] = ["CALLER", "METHOD", "REQUESTS", "LAST DAY", "PARAMETERS"];

struct Row<'a> {
    caller: &'a str,
    method: &'a str,
    usage: MethodUsage,
    last_day: Date,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &UsageOptions) -> Result<Exit, Exit> {
    let validated = validate_with_data(app, settings).map_err(|report| output::print_report(&report))?;
    let saved = read_usage(validated.data_folder.path(), options.days)?;
    let deprecated = deprecated_methods(&validated.api);
    let mut rows = rows(&saved);
    rows.retain(|row| {
        options.method.as_ref().is_none_or(|id| row.method == id)
            && (!options.deprecated || deprecated.contains(row.method))
    });
    let ids = || validated.api.methods().map(|(.., method)| method.id.as_str());
    // The method of earlier requests need not exist any more.
    if let Some(id) = options.method.as_ref().filter(|id| rows.is_empty() && ids().all(|known| known != id.as_str())) {
        output::print_usage_error(format!("no method has the id `{id}`{}", did_you_mean(id, ids())));
        return Err(Exit::ErrorsReported);
    }
    Ok(output::print_to_stdout(&match options.format {
        Format::Json => output::format_json(&rows.iter().map(json_object).collect()),
        Format::Text if rows.is_empty() => {
            let days = output::count_with_noun(options.days.into(), "day");
            format!("no requests{} in {days}\n", if options.deprecated { " of deprecated methods" } else { "" })
        }
        Format::Text => {
            let headings = COLUMN_HEADINGS.map(str::to_owned);
            output::table(&std::iter::once(headings).chain(rows.iter().map(table_row)).collect::<Vec<_>>())
        }
    }))
}

/// Returns the names of the callers that have called deprecated methods in the last days, with the last day.
pub(super) fn last_deprecated_calls(api: &Api, data: &Path, days: u8) -> Result<BTreeMap<Box<str>, Date>, Exit> {
    let deprecated = deprecated_methods(api);
    let mut last = BTreeMap::new();
    // The last day of a caller replaces the earlier ones.
    for (day, usage) in read_usage(data, days)?.days {
        last.extend(usage.iter().filter(|(_, id, _)| deprecated.contains(id)).map(|(name, ..)| (name.into(), day)));
    }
    Ok(last)
}

fn read_usage(data: &Path, days: u8) -> Result<UsageDays, Exit> {
    let mut saved = usage::read(data).map_err(output::print_system_error)?;
    let first = Timestamp::now().to_zoned(TimeZone::UTC).date().saturating_sub((i64::from(days) - 1).days());
    saved.days.retain(|day, _| *day >= first);
    Ok(saved)
}

fn deprecated_methods(api: &Api) -> BTreeSet<&str> {
    let methods = api.methods().map(|(.., method)| method);
    methods.filter(|method| method.options.deprecation.is_some()).map(|method| method.id.as_str()).collect()
}

/// Returns the sums of all days, in descending order of the number of requests.
fn rows(saved: &UsageDays) -> Vec<Row<'_>> {
    let mut sums: BTreeMap<_, Row<'_>> = BTreeMap::new();
    for (day, usage) in &saved.days {
        for (caller, method, usage) in usage.iter() {
            let new = || Row { caller, method, usage: MethodUsage::default(), last_day: *day };
            let row = sums.entry((caller, method)).or_insert_with(new);
            row.usage.add_all(usage);
            row.last_day = *day;
        }
    }
    let mut rows: Vec<_> = sums.into_values().collect();
    rows.sort_by_key(|row| Reverse(row.usage.requests));
    rows
}

fn table_row(row: &Row<'_>) -> [String; COLUMN_HEADINGS.len()] {
    let parameters: Vec<_> = row.usage.parameters.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let requests = row.usage.requests.to_string();
    [row.caller.to_owned(), row.method.to_owned(), requests, row.last_day.to_string(), parameters.join(", ")]
}

fn json_object(row: &Row<'_>) -> Json {
    json!({
        "caller": row.caller,
        "method": row.method,
        "requests": row.usage.requests,
        "parameters": row.usage.parameters,
        "last_day": row.last_day,
    })
}
