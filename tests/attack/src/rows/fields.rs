//! Long request targets and header fields, and header fields with many elements.

use super::{Row, WorkAim, get, post_chunked_head, repeated, work};

/// The kinds of paths: health checks, metrics, documents, links, services and pages.
const PATHS: [&str; 6] = ["/healthz", "/metrics", "/openapi.json", "/-/x", "/article", "/docs/"];

/// Returns the rows of this family.
pub fn rows() -> Vec<Row> {
    let fields = |count| (0..count).map(|number| format!("X-{number}: {}\r\n", "x".repeat(295))).collect::<String>();
    let long_query = |path: &str| get(&format!("{path}?q={}", "x".repeat(20_000)), "");
    let long_field = |path: &str| get(path, &format!("X: {}\r\n", "x".repeat(60_000)));
    let longest_field = get("/healthz", &format!("X: {}\r\n", "x".repeat(140_000)));
    // The page is invalid, so that the request ends before the database is used.
    let brackets: String = (0..800).map(|number| format!("&a[{number}]=b")).collect();
    let token = format!("Authorization: Bearer rb_{}\r\n", "x".repeat(30_000));
    let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(2_500)).into_bytes();
    let trailers = [post_chunked_head("/publication/search", "application/json"), trailers].concat();
    vec![
        to_all_paths("long-field", "a header field of 60 KB to each kind of path", long_field, 4, &[]),
        to_all_paths("long-query", "a query of 20 KB to each kind of path", long_query, 10, &[414]),
        repeated("longest-field", "a header field of 140 KB, which no head may have", longest_field, 8, &[431]),
        repeated("many-fields", "95 header fields in a head of 30 KB", get("/article/3", &fields(94)), 30, &[200]),
        repeated("too-many-fields", "99 header fields in a head of 30 KB", get("/article/3", &fields(98)), 30, &[431]),
        path("long-path", "a path of 8 KB with 4,000 segments", &"/a".repeat(4_000), &[404]),
        path("long-path-encoded", "a path of 8 KB in escapes", &format!("/article/{}", "%61".repeat(2_700)), &[400]),
        path("similar-path", "a path of 8 KB similar to a service", &format!("/articl{}", "e".repeat(8_000)), &[404]),
        path("query-pairs", "a query of 4,000 parameters", &format!("/article?{}", "a&".repeat(4_000)), &[413]),
        path("query-brackets", "a query with 800 names in brackets", &format!("/article?page=x{brackets}"), &[400]),
        path("query-search", "a search of 4,000 words", &format!("/docs/search?q={}", "a+".repeat(4_000)), &[200, 400]),
        list("ranges", "`Range` with 5,000 ranges, for a file", "/static/h5.js", "Range: bytes=0-0", ",1-1"),
        list("etags", "`If-None-Match` with 5,000 tags", "/openapi.json", "If-None-Match: \"a\"", ",\"b\""),
        list("accept", "`Accept` with 2,000 media ranges", "/article/3", "Accept: a/b", ", text/x;q=0.1"),
        list("accept-docs", "the same for a page", "/docs/", "Accept: a/b", ", text/x;q=0.1"),
        list("accept-encoding", "3,000 codings", "/openapi.json", "Accept-Encoding: a", ", x;q=0.1"),
        list("accept-language", "3,000 languages", "/docs/", "Accept-Language: a", ", x-y;q=0.1"),
        list("cookies", "`Cookie` with 5,000 pairs", "/article/3", "Cookie: a=b", "; a=b"),
        list("connection-options", "`Connection` with 10,000 options", "/article/3", "Connection: a", ",a"),
        list("requested-headers", "a CORS preflight request with 5,000 names", "/article/3", PREFLIGHT, ",x-b"),
        repeated("long-token", "a bearer token of 30 KB", get("/article/3", &token), 30, &[401]),
        repeated("trailers", "a chunked body with 15 KB of trailer fields", trailers, 60, &[200]),
    ]
}

/// The fields of a CORS preflight request, and the beginning of the one that names header fields.
const PREFLIGHT: &str =
    "Origin: http://a.test\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: a";

/// Returns a row that sends a request for each of [`PATHS`] some times.
fn to_all_paths(
    name: &'static str,
    about: &'static str,
    request: fn(&str) -> Vec<u8>,
    times: usize,
    statuses: &'static [u16],
) -> Row {
    work(name, about, WorkAim::PerMegabyte, move |attacker| {
        PATHS.iter().try_for_each(|path| attacker.repeat(&request(path), times, statuses))
    })
}

/// Returns a row with a target of 8 KB.
fn path(name: &'static str, about: &'static str, target: &str, statuses: &'static [u16]) -> Row {
    repeated(name, about, get(target, ""), 120, statuses)
}

/// Returns a row whose requests have a header field of 30 KB with many elements. `first` is its name and the first
/// element, and `next` is each further element.
fn list(name: &'static str, about: &'static str, target: &str, first: &str, next: &str) -> Row {
    let field = format!("{first}{}\r\n", next.repeat((30_000 - first.len()) / next.len()));
    let mut request = get(target, &field);
    if first == PREFLIGHT {
        request.splice(..3, *b"OPTIONS");
    }
    repeated(name, about, request, 33, &[])
}
