//! The texts that random requests contain: names and values that are rare, at boundaries, or dangerous.

/// Methods, known and unknown.
#[rustfmt::skip]
pub const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get", "G",
    "FOO", "M-SEARCH", "!#$%&'*+-.^_`|~", "GETGETGETGETGETGETGETGETGETGETGETGETGETGETGETGET",
];

/// Pieces of request targets.
#[rustfmt::skip]
pub const TARGET_PIECES: &[&str] = &[
    "/", "//", "/.", "/..", "/../..", "/./", "%2e%2e/", "%2E", "%2f", "%5c", "\\", "%00", "%0d%0a",
    "%0D%0ASet-Cookie:%20a=b", "%1b[31m", "%1b%5b2J", "\x1b[31m", "\x07", "%07", "%7f", "%c2%85", "%e2%80%ae", "%ff",
    "%c0%af", "%ed%a0%80", "%", "%4", "%zz", "%25", "%252e%252e", ";", ";a=b", "?", "??", "&", "=", "#", "#a", "@", ":",
    "*", "+", "~", "!", "$", "'", "(", ")", ",", "[", "]", "[]", "[0]", "[a][b]", "%5b%5d", "{", "}", "|", "^", "`",
    "\"", "<script>", "é", "🦀", "\u{202e}", "%20", "0", "-1", "1e9", "99999999999999999999", "2147483648", "0x10",
    "null", "true", "callback=", "callback=a.b", "callback=alert(1)", "callback=a&callback=b", "as=me", "as=you",
    "service=", "service=Author.GetList", "module=article", "method=search", ".md", "?module=article", "q=", "page=2",
    "size=100", "expires=", "signature=", "/docs/", "/static/", "/-/", "/healthz", "http://attack.test",
    "http://attack.test:80/", "//attack.test/",
];

/// Names of header fields. None of them delimits the body.
#[rustfmt::skip]
pub const FIELD_NAMES: &[&str] = &[
    "Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers", "Access-Control-Request-Method",
    "Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Type", "Cookie", "Date", "Expect",
    "Forwarded", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Host",
    "Keep-Alive", "Origin", "Pragma", "Proxy-Authorization", "Range", "Referer", "TE", "Trailer", "Upgrade",
    "User-Agent", "Via", "X-Api-Key", "X-Forwarded-For", "X-Forwarded-Host", "X-Http-Method-Override", "X-Request-Id",
    "X-Requested-With", "X", "", "A:b", "é",
];

/// Values of header fields.
#[rustfmt::skip]
pub const FIELD_VALUES: &[&str] = &[
    "", " ", "*", "*/*", "a", "a,b", "0", "-1", "text/html", "text/markdown", "application/json",
    "application/problem+json", "application/xml", "application/json;q=0", "a/b;q=2", "gzip", "br",
    "gzip;q=0, identity;q=0", "identity", "gzip, br, *;q=0", "bytes=0-0", "bytes=0-", "bytes=-1", "bytes=5-2",
    "bytes=0-0,1-1,2-2", "bytes=99999999999999999999-", "bytes=-0", "lines=1", "\"a\"", "W/\"a\"",
    "\"a\", \"b\", W/\"c\"", "\"", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
    "Tue, 19 Jan 2038 03:14:08 GMT", "100-continue", "200-ok", "100-continue, a", "websocket", "close", "keep-alive",
    "upgrade", "trailers", "XMLHttpRequest", "http://attack.test", "null", "https://a.example:99999", "GET", "DELETE",
    "content-type, authorization", "Bearer ", "Bearer a", "Bearer rb_00000000_x", "Bearer login_00",
    "bearer login_zz, Bearer a", "Basic YTpi", "Basic \x1b[31m", "a=b", "a=b; a=c; =; ;", "session=\"a; b\"",
    "\x1b[31mred\x1b[0m", "\u{85}", "\u{202e}", "\u{feff}", "%0d%0aX: y", "\\r\\nX: y", "a\tb", "\x07",
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=",
    "multipart/form-data; boundary=\"a b\"", "multipart/form-data; boundary=XX; boundary=YY",
    "multipart/mixed; boundary=XX", "application/json; charset=utf-16", "text/plain", "/", ";", "application/", "é",
    "0123456789abcdef", "a:b.c-d_e", "0123456789012345678901234567890123456789012345678901234567890123456789",
    "[2026-01-01T00:00:00.000Z ERROR attack] a false message",
];

/// Pieces of bodies.
#[rustfmt::skip]
pub const BODY_PIECES: &[&str] = &[
    "\"", "\\", "\\u0000", "\\ud800", "\\uD83D\\uDE00", "{", "}", "[", "]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", ",",
    ":", "null", "true", "1e400", "-0", "0.1e-999999", "99999999999999999999999999", "-9223372036854775809", "\"a\":1,",
    "\"words\":\"a\",", "{\"a\":[{}]}", "\u{0}", "\u{1b}[31m", "\u{feff}", "\u{202e}", "\r\n", "\r\n\r\n", "--XX",
    "--XX--", "\r\n--XX\r\n", "\r\n--XX--\r\n", "--XX-", "Content-Disposition: form-data; name=\"words\"\r\n\r\n",
    "Content-Disposition: form-data\r\n\r\n", "; filename=\"../../a\"", "; filename*=utf-8''%2e%2e%2fa",
    "Content-Type: text/html\r\n", "Content-Transfer-Encoding: base64\r\n", "&", "=", "&&", "a[]=1&", "a[b][c]=1&",
    "page=1&page=2&", "page[]=1&", "words[", "%", "%00", "%ff", "%0d%0a", "+", ";", "<script>", "' OR 1=1 --",
    "../../etc/passwd", "public/../a", "GIF89a", "<svg>",
];

/// Values in place of a number.
#[rustfmt::skip]
pub const NUMBERS: &[&str] = &[
    "0", "-1", "1", "00", "3.0", "1e0", "2147483647", "2147483648", "4294967296", "9223372036854775808", "", "%20",
    "+1", "٣", "0x3", "NaN", "18446744073709551616", "20001", "10001",
];

/// Extensions of chunks.
pub const CHUNK_EXTENSIONS: &[&str] = &["", "", ";a", ";a=b", ";a=\"b c\"", " ", "\t;a"];
