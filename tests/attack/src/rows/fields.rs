//! Long request targets and header fields, and header fields with many elements.

use super::{Attacker, Row, get, per_megabyte, post_chunked_head};
use crate::Result;

/// The rows of this family.
pub const ROWS: &[Row] = &[
    per_megabyte("long-field", "a header field of 60 KB to each kind of path", |attacker| {
        for path in PATHS {
            attacker.repeat(&get(path, &format!("X-Long: {}\r\n", "x".repeat(60_000))), 4, &[])?;
        }
        Ok(())
    }),
    per_megabyte("longest-field", "a header field of 140 KB, which no head may have", |attacker| {
        attacker.repeat(&get("/healthz", &format!("X-Long: {}\r\n", "x".repeat(140_000))), 8, &[431])
    }),
    per_megabyte("long-query", "a query of 20 KB to each kind of path", |attacker| {
        for path in PATHS {
            attacker.repeat(&get(&format!("{path}?q={}", "x".repeat(20_000)), ""), 10, &[414])?;
        }
        Ok(())
    }),
    per_megabyte("long-path", "a path of 8 KB with 4,000 segments", |attacker| {
        attacker.repeat(&get(&"/a".repeat(4_000), ""), 120, &[404])
    }),
    per_megabyte("long-path-encoded", "a path of 8 KB, percent-encoded", |attacker| {
        attacker.repeat(&get(&format!("/article/{}", "%61".repeat(2_700)), ""), 120, &[400, 404])
    }),
    per_megabyte("similar-path", "a path of 8 KB that is similar to a service", |attacker| {
        attacker.repeat(&get(&format!("/articl{}", "e".repeat(8_000)), ""), 120, &[404])
    }),
    per_megabyte("many-fields", "95 header fields in a head of 30 KB", |attacker| {
        attacker.repeat(&get("/article/3", &fields(94)), 30, &[200])
    }),
    per_megabyte("too-many-fields", "99 header fields in a head of 30 KB", |attacker| {
        attacker.repeat(&get("/article/3", &fields(98)), 30, &[431])
    }),
    per_megabyte("ranges", "a `Range` with 5,000 ranges, for a file", |attacker| {
        send_list(attacker, "/static/h5.js", "Range: bytes=0-0", ",1-1")
    }),
    per_megabyte("etags", "`If-None-Match` with 5,000 tags", |attacker| {
        send_list(attacker, "/openapi.json", "If-None-Match: \"a\"", ",\"b\"")
    }),
    per_megabyte("accept", "`Accept` with 2,000 media ranges", |attacker| {
        send_list(attacker, "/article/3", "Accept: a/b", ", text/x;q=0.1")
    }),
    per_megabyte("accept-docs", "the same for a page", |attacker| {
        send_list(attacker, "/docs/", "Accept: a/b", ", text/x;q=0.1")
    }),
    per_megabyte("accept-encoding", "`Accept-Encoding` with 3,000 codings", |attacker| {
        send_list(attacker, "/openapi.json", "Accept-Encoding: a", ", x;q=0.1")
    }),
    per_megabyte("accept-language", "`Accept-Language` with 3,000 languages", |attacker| {
        send_list(attacker, "/docs/", "Accept-Language: a", ", x-y;q=0.1")
    }),
    per_megabyte("cookies", "`Cookie` with 5,000 pairs", |attacker| {
        send_list(attacker, "/article/3", "Cookie: a=b", "; a=b")
    }),
    per_megabyte("connection-options", "`Connection` with 10,000 options", |attacker| {
        send_list(attacker, "/article/3", "Connection: a", ",a")
    }),
    per_megabyte("requested-headers", "a CORS preflight request with 5,000 names", |attacker| {
        let names = list("Access-Control-Request-Headers: a", ",x-b");
        let fields = format!("Origin: http://a.test\r\nAccess-Control-Request-Method: GET\r\n{names}");
        let request = get("/article/3", &fields);
        attacker.repeat(&[b"OPTIONS", &request[3..]].concat(), 33, &[])
    }),
    per_megabyte("long-token", "a bearer token of 30 KB", |attacker| {
        attacker.repeat(&get("/article/3", &format!("Authorization: Bearer rb_{}\r\n", "x".repeat(30_000))), 30, &[401])
    }),
    per_megabyte("query-pairs", "a query of 8 KB with 4,000 parameters", |attacker| {
        attacker.repeat(&get(&format!("/article?{}", "a&".repeat(4_000)), ""), 120, &[200, 400, 413])
    }),
    per_megabyte("query-brackets", "a query of 8 KB with names in brackets", |attacker| {
        let names: String = (0..800).map(|number| format!("a[{number}]=b&")).collect();
        // The page is invalid, so that the request ends before the database is used.
        attacker.repeat(&get(&format!("/article?page=x&{names}"), ""), 120, &[400])
    }),
    per_megabyte("query-search", "a search of 8 KB in the documentation", |attacker| {
        attacker.repeat(&get(&format!("/docs/search?q={}", "a+".repeat(4_000)), ""), 120, &[200, 400])
    }),
    per_megabyte("trailers", "a chunked body with 15 KB of trailer fields", |attacker| {
        let head = post_chunked_head("/publication/search", "application/json");
        let body = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(2_500));
        attacker.repeat(&[&head[..], body.as_bytes()].concat(), 60, &[200])
    }),
];

/// The kinds of paths: health checks, metrics, documents, links, services and pages.
const PATHS: [&str; 6] = ["/healthz", "/metrics", "/openapi.json", "/-/x", "/article", "/docs/"];

/// Returns some header fields of 300 bytes each.
fn fields(count: usize) -> String {
    (0..count).map(|number| format!("X-{number}: {}\r\n", "x".repeat(295))).collect()
}

/// Returns a header field of 30 KB with many elements. `first` is its name and the first element, and `next` is each
/// further element.
fn list(first: &str, next: &str) -> String {
    format!("{first}{}\r\n", next.repeat((30_000 - first.len()) / next.len()))
}

/// Sends a megabyte of requests with a header field that has many elements.
fn send_list(attacker: &mut Attacker<'_>, target: &str, first: &str, next: &str) -> Result<()> {
    attacker.repeat(&get(target, &list(first, next)), 33, &[])
}
