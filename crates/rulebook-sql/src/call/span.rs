//! The span of the statements of a call, in the trace of its request.

use std::sync::Arc;

use rulebook::Context;
use rulebook::handler_kind::HandlerFuture;
use rulebook::trace::{OpenSpan, SpanKind};

use super::SqlMethod;
use crate::database::Dialect;

/// The maximum number of bytes of the statements in a span.
const MAX_TEXT_LEN: usize = 4 << 10;

/// Returns the future of a call, which records a span of its statements.
pub(super) fn traced(method: Arc<SqlMethod>, context: Context, call: HandlerFuture) -> HandlerFuture {
    Box::pin(async move {
        let mut span = begin(&method, &context);
        let result = call.await;
        span.set_result(&result);
        result
    })
}

/// Begins the span of a method's statements. They are the statements in the definition, without the values of the call.
fn begin(method: &SqlMethod, context: &Context) -> OpenSpan {
    let system = match method.database.settings.dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgresql",
        Dialect::Mysql => "mysql",
    };
    let mut span = context.span(system, SpanKind::Client);
    if span.is_recorded() {
        let statements = method.steps.iter().filter_map(|step| step.variants.first());
        let texts: Vec<_> = statements.map(|statement| statement.text().trim()).collect();
        let mut text = texts.join(";\n");
        let end = (0..=text.len().min(MAX_TEXT_LEN)).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        span.set("db.system.name", system);
        span.set("db.query.text", text);
        if method.steps.len() > 1 {
            span.set("db.operation.batch.size", method.steps.len() as i64);
        }
    }
    span
}
