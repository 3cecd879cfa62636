//! Long request targets and header fields, and header fields with many elements.

use super::{Attack, Attacker, Row, WorkAim, get, post};
use crate::Result;

/// The rows of this family.
pub const ROWS: &[Row] = &[
    work("long-field", "a header field of 60 KB to each kind of path", |attacker| {
        for path in PATHS {
            attacker.repeat_for(path, &get(path, &format!("X-Long: {}\r\n", "x".repeat(60_000))), 4, &[431])?;
        }
        Ok(())
    }),
    work("long-query", "a query of 20 KB to each kind of path", |attacker| {
        for path in PATHS {
            attacker.repeat_for(path, &get(&format!("{path}?q={}", "x".repeat(20_000)), ""), 10, &[414])?;
        }
        Ok(())
    }),
    work("long-path", "a path of 8 KB with 4,000 segments", |attacker| {
        attacker.repeat(&get(&"/a".repeat(4_000), ""), 120, &[404])
    }),
    work("long-path-encoded", "a path of 8 KB, percent-encoded", |attacker| {
        attacker.repeat(&get(&format!("/article/{}", "%61".repeat(2_700)), ""), 120, &[400, 404])
    }),
    work("similar-path", "a path of 8 KB that is similar to a service", |attacker| {
        attacker.repeat(&get(&format!("/articl{}", "e".repeat(8_000)), ""), 120, &[404])
    }),
    work("many-fields", "99 header fields in a head of 30 KB", |attacker| {
        let fields: String = (0..98).map(|number| format!("X-{number}: {}\r\n", "x".repeat(295))).collect();
        attacker.repeat(&get("/article/3", &fields), 30, &[200, 431])
    }),
    field("ranges", "a `Range` with 5,000 ranges, for a file", "/static/h5.js", "Range: bytes=0-0", ",1-1"),
    field("etags", "`If-None-Match` with 5,000 tags", "/openapi.json", "If-None-Match: \"a\"", ",\"b\""),
    field("accept", "`Accept` with 2,000 media ranges", "/article/3", "Accept: a/b", ", text/x;q=0.1"),
    field("accept-docs", "the same for a page", "/docs/", "Accept: a/b", ", text/x;q=0.1"),
    field(
        "accept-encoding",
        "`Accept-Encoding` with 3,000 codings",
        "/openapi.json",
        "Accept-Encoding: a",
        ", x;q=0.1",
    ),
    field("accept-language", "`Accept-Language` with 3,000 languages", "/docs/", "Accept-Language: a", ", x-y;q=0.1"),
    field("cookies", "`Cookie` with 5,000 pairs", "/article/3", "Cookie: a=b", "; a=b"),
    field("connection-options", "`Connection` with 10,000 options", "/article/3", "Connection: a", ",a"),
    field(
        "requested-headers",
        "a CORS preflight request with 5,000 names",
        "/article/3",
        "Access-Control-Request-Headers: a",
        ",x-b",
    ),
    work("long-token", "a bearer token of 30 KB", |attacker| {
        attacker.repeat(&get("/article/3", &format!("Authorization: Bearer rb_{}\r\n", "x".repeat(30_000))), 30, &[401])
    }),
    work("query-pairs", "a query of 8 KB with 4,000 parameters", |attacker| {
        attacker.repeat(&get(&format!("/article?{}", "a&".repeat(4_000)), ""), 120, &[200, 400, 413])
    }),
    work("query-brackets", "a query of 8 KB with names in brackets", |attacker| {
        let names: String = (0..800).map(|number| format!("a[{number}]=b&")).collect();
        // The page is invalid, so that the request ends before the database is used.
        attacker.repeat(&get(&format!("/article?page=x&{names}"), ""), 120, &[400])
    }),
    work("query-search", "a search of 8 KB in the documentation", |attacker| {
        attacker.repeat(&get(&format!("/docs/search?q={}", "a+".repeat(4_000)), ""), 120, &[200, 400])
    }),
    work("trailers", "a chunked body with 15 KB of trailer fields", |attacker| {
        let request = post("/publication/search", "application/json", b"");
        let head = String::from_utf8_lossy(&request).replace("Content-Length: 0", "Transfer-Encoding: chunked");
        let body = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(2_500));
        attacker.repeat(format!("{head}{body}").as_bytes(), 60, &[200])
    }),
];

/// The kinds of paths: health checks, metrics, documents, links, services and pages.
const PATHS: [&str; 6] = ["/healthz", "/metrics", "/openapi.json", "/-/x", "/article", "/docs/"];
/// The length in bytes of a header field with many elements. The whole head is below the limit of the definition.
const FIELD_LEN: usize = 30_000;

const fn work(name: &'static str, about: &'static str, pass: fn(&mut Attacker<'_>) -> Result<()>) -> Row {
    Row { name, about, attack: Attack::Work(WorkAim::PerMegabyte, pass) }
}

/// Returns a row whose requests have a header field with many elements.
const fn field(
    name: &'static str,
    about: &'static str,
    target: &'static str,
    first: &'static str,
    next: &'static str,
) -> Row {
    Row { name, about, attack: Attack::Field { target, first, next } }
}

/// Sends a megabyte of requests with a header field that has many elements.
///
/// # Errors
/// Fails if the server does not accept a connection.
pub fn send_long_field(attacker: &mut Attacker<'_>, target: &str, first: &str, next: &str) -> Result<()> {
    let field = format!("{first}{}\r\n", next.repeat((FIELD_LEN - first.len()) / next.len()));
    let mut request = get(target, &field);
    if first.starts_with("Access-Control-Request-Headers") {
        let preflight = format!(
            "OPTIONS {target} HTTP/1.1\r\nHost: attack.test\r\nOrigin: http://a.test\r\n\
             Access-Control-Request-Method: GET\r\n{field}\r\n"
        );
        request = preflight.into_bytes();
    }
    attacker.repeat(&request, 1_000_000 / request.len(), &[])
}

impl Attacker<'_> {
    /// Sends a request as [`Attacker::repeat`] does, and names the path in what is recorded.
    fn repeat_for(&mut self, path: &str, request: &[u8], times: usize, statuses: &[u16]) -> Result<()> {
        let misses = std::mem::take(&mut self.misses);
        self.repeat(request, times, statuses)?;
        let found = std::mem::replace(&mut self.misses, misses);
        for miss in found {
            self.misses.push(format!("{path}: {miss}"));
        }
        self.misses.dedup();
        Ok(())
    }
}
