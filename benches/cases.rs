//! The cases that are measured: their requests, and the targets of rulebook compared to hand-written code.

use clap::ValueEnum;
use serde_json::{Value as Json, json};

use crate::{files, keys};

/// A case. Its variant is its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// GET without parameters
    Ping,
    /// GET with two path integers and a bounded query string
    Get,
    /// The GET with all three parameters in the query
    Query,
    /// The GET with all in the query, defined in the dialect `rules`
    Rules,
    /// The GET with all in the query, the method named by `?service=`
    Service,
    /// The GET in JSONP
    Jsonp,
    /// POST of eight checked fields as JSON, with one of 100 bearer keys
    Json,
    /// POST of the same fields urlencoded
    Form,
    /// OPTIONS of a service: its definition, rendered at start
    Options,
    /// The OpenAPI document, rendered at start
    Openapi,
    /// One of the demo's articles, read from SQLite
    Article,
    /// GET with a bearer key, the only one of the server
    OneKey,
    /// GET with each of 1,000 bearer keys in turn
    ThousandKeys,
    /// Download of 1 KiB, compared with actix-files
    #[value(name = "down-1k")]
    Down1K,
    /// The same, with `tcp_nodelay(true)` in actix-files
    #[value(name = "down-1k-nodelay")]
    Down1KNodelay,
    /// Download of 1 KiB, compared with nginx, if it is installed
    #[value(name = "down-1k-nginx")]
    Down1KNginx,
    /// Download of 1 MiB, compared with actix-files
    #[value(name = "down-1m")]
    Down1M,
    /// The same, with `tcp_nodelay(true)` in actix-files
    #[value(name = "down-1m-nodelay")]
    Down1MNodelay,
    /// Download of 256 MiB over one connection
    #[value(name = "down-256m")]
    Down256M,
    /// Upload of 1 MiB, compared with actix-multipart
    #[value(name = "up-1m")]
    Up1M,
    /// Upload of 256 MiB over one connection
    #[value(name = "up-256m")]
    Up256M,
    /// The GET of the last of 10 services
    #[value(name = "last-of-10")]
    LastOf10,
    /// The GET of the last of 1,000 services
    #[value(name = "last-of-1000")]
    LastOf1000,
    /// The GET of the last of 10,000 services
    #[value(name = "last-of-10000")]
    LastOf10000,
}

/// The endpoints that both servers serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setup {
    /// Every endpoint once, and the documents.
    Endpoints,
    /// The demo's articles, from one database.
    Articles,
    /// Downloads, compared with the server written by hand.
    Files {
        /// If `true`, that server sets TCP_NODELAY.
        nodelay: bool,
    },
    /// Downloads, compared with nginx.
    Nginx,
    /// Uploads.
    Uploads,
    /// Every endpoint once, with this number of keys.
    Keys(usize),
    /// One endpoint under this number of names.
    Many(usize),
}

/// The target of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// Minimum ratio of rulebook's requests per second to those of the hand-written server.
    Ratio(f64),
    /// Minimum ratio of rulebook's requests per second to those of rulebook in another case.
    Of(Case, f64),
}

/// A request of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// GET, POST or OPTIONS.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// The body of a POST request.
    pub body: Option<Body>,
    /// The bearer token.
    pub token: Option<String>,
    /// The number of keys that the measured requests use in turn; 0 means the one of `token`.
    pub turns: usize,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The media type.
    pub media_type: String,
    /// The content.
    pub text: String,
}

impl Case {
    /// Returns the title in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Get => "GET, two integers in the path, a text in the query",
            Self::Query => "GET, all three in the query",
            Self::Rules => "the same, in the dialect `rules`",
            Self::Service => "the same, named by `?service=`",
            Self::Jsonp => "the GET in JSONP",
            Self::Json => "POST of eight fields as JSON, with a key",
            Self::Form => "POST of the same fields urlencoded",
            Self::Options => "OPTIONS of a service",
            Self::Openapi => "the OpenAPI document",
            Self::Article => "an article, read from SQLite",
            Self::OneKey => "GET with the only key",
            Self::ThousandKeys => "GET with 1,000 keys in turn",
            Self::Down1K => "download of 1 KiB, with actix-files",
            Self::Down1KNodelay => "download of 1 KiB, with actix-files and TCP_NODELAY",
            Self::Down1KNginx => "download of 1 KiB, with nginx",
            Self::Down1M => "download of 1 MiB, with actix-files",
            Self::Down1MNodelay => "download of 1 MiB, with actix-files and TCP_NODELAY",
            Self::Down256M => "download of 256 MiB, one connection",
            Self::Up1M => "upload of 1 MiB, with actix-multipart",
            Self::Up256M => "upload of 256 MiB, one connection",
            Self::LastOf10 => "the GET of the last of 10 services",
            Self::LastOf1000 => "the GET of the last of 1,000 services",
            Self::LastOf10000 => "the GET of the last of 10,000 services",
        }
    }

    /// Returns the target.
    pub fn aim(self) -> Aim {
        match self {
            Self::Ping | Self::Options | Self::Openapi | Self::OneKey => Aim::Ratio(0.97),
            Self::Get | Self::Query | Self::Json | Self::Form => Aim::Ratio(1.05),
            Self::Rules | Self::Service => Aim::Of(Self::Query, 0.95),
            Self::Article => Aim::Ratio(1.0),
            Self::ThousandKeys => Aim::Of(Self::OneKey, 0.97),
            Self::Down1K => Aim::Ratio(11.0),
            Self::Down1KNodelay => Aim::Ratio(1.4),
            Self::Down1KNginx => Aim::Ratio(0.8),
            Self::Down1M => Aim::Ratio(2.2),
            Self::Down1MNodelay => Aim::Ratio(1.7),
            Self::Down256M => Aim::Ratio(2.0),
            Self::Up1M => Aim::Ratio(1.1),
            Self::Up256M => Aim::Ratio(1.2),
            Self::LastOf10 => Aim::Ratio(1.3),
            Self::Jsonp => Aim::Of(Self::Get, 0.95),
            // The tolerance covers the variation between rounds.
            Self::LastOf1000 | Self::LastOf10000 => Aim::Of(Self::LastOf10, 0.97),
        }
    }

    /// Returns the endpoints that the servers must serve.
    pub fn setup(self) -> Setup {
        match self {
            Self::Ping
            | Self::Get
            | Self::Query
            | Self::Rules
            | Self::Service
            | Self::Jsonp
            | Self::Json
            | Self::Form
            | Self::Options
            | Self::Openapi => Setup::Endpoints,
            Self::Article => Setup::Articles,
            Self::OneKey => Setup::Keys(1),
            Self::ThousandKeys => Setup::Keys(1_000),
            Self::Down1K | Self::Down1M | Self::Down256M => Setup::Files { nodelay: false },
            Self::Up1M | Self::Up256M => Setup::Uploads,
            Self::Down1KNodelay | Self::Down1MNodelay => Setup::Files { nodelay: true },
            Self::Down1KNginx => Setup::Nginx,
            Self::LastOf10 => Setup::Many(10),
            Self::LastOf1000 => Setup::Many(1_000),
            Self::LastOf10000 => Setup::Many(10_000),
        }
    }

    /// Returns `true` if this program generates the load, because a request is too large for wrk, which counts complete
    /// requests in a round.
    pub fn is_large(self) -> bool {
        matches!(self, Self::Down256M | Self::Up256M)
    }

    /// Returns the request that is measured.
    pub fn request(self) -> Request {
        match self {
            Self::Ping => get("/ping"),
            Self::Get => get("/article/line/23/7?lang=en"),
            Self::Query => get("/article/query?article_id=23&no_line=7&lang=en"),
            Self::Rules => get("/lines/query?article_id=23&no_line=7&lang=en"),
            Self::Service => get("/?service=Article.Query&article_id=23&no_line=7&lang=en"),
            Self::Jsonp => get("/script/line/23/7?lang=en&callback=app.show"),
            Self::Json => post_json(&article()),
            Self::Form => post_form(&article()),
            Self::Options => Request { method: "OPTIONS", ..get("/ping") },
            Self::Openapi => get("/openapi.json"),
            Self::Article => get("/article/3"),
            Self::OneKey => with_key(get("/private"), 0),
            Self::ThousandKeys => with_key(get("/private"), 1_000),
            Self::Down1K | Self::Down1KNodelay | Self::Down1KNginx => download(1 << 10),
            Self::Down1M | Self::Down1MNodelay => download(1 << 20),
            Self::Down256M => download(256 << 20),
            Self::Up1M => upload(1 << 20),
            // This small request is only for the comparison of responses; the load sends its own.
            Self::Up256M => upload(1 << 10),
            Self::LastOf10 => get("/s10/line/23/7?lang=en"),
            Self::LastOf1000 => get("/s1000/line/23/7?lang=en"),
            Self::LastOf10000 => get("/s10000/line/23/7?lang=en"),
        }
    }

    /// Returns invalid requests with the status of both servers' responses.
    pub fn refused(self) -> Vec<(Request, u16)> {
        match self {
            Self::Ping => vec![(get("/pong"), 404)],
            Self::Get => vec![
                (get("/article/line/23/seven?lang=en"), 400),
                (get("/article/line/23/2147483648?lang=en"), 400),
                (get("/article/line/23/7?lang=e"), 400),
                (get("/article/line/23/7"), 400),
            ],
            Self::Query | Self::Rules => {
                let target = self.request().target;
                vec![
                    (get(&target.replacen("line=7", "line=seven", 1)), 400),
                    (get(&target.replacen("line=7", "line=2147483648", 1)), 400),
                    (get(&target.replacen("&lang=en", "", 1)), 400),
                ]
            }
            Self::Service => vec![
                (get("/?service=Article.Lines&article_id=23&no_line=7&lang=en"), 404),
                (get("/?service=Article.Query&article_id=23&no_line=seven&lang=en"), 400),
                (get("/?service=Article.Query&article_id=23&no_line=7"), 400),
            ],
            Self::Jsonp => vec![
                (get("/script/line/23/7?lang=en&callback=alert(1)"), 400),
                (get("/script/line/23/7?lang=en&callback=a..b"), 400),
            ],
            Self::Json => refused_articles(post_json),
            Self::Form => refused_articles(post_form),
            Self::Options => vec![(Request { method: "OPTIONS", ..get("/pong") }, 404)],
            Self::Openapi => vec![(get("/openapi.yaml"), 404)],
            Self::Article => vec![(get("/article/3000000"), 404), (get("/article/three"), 400)],
            Self::OneKey | Self::ThousandKeys => vec![(get("/private"), 401)],
            Self::Down1KNginx => vec![(Request { target: file("public/none.txt"), ..download(1) }, 404)],
            Self::Down1K | Self::Down1KNodelay | Self::Down1M | Self::Down1MNodelay | Self::Down256M => vec![
                (Request { target: file("public/none.txt"), ..download(1) }, 404),
                (Request { target: file("public/../none.txt"), ..download(1) }, 400),
                (Request { token: None, ..download(1 << 10) }, 401),
            ],
            Self::Up1M | Self::Up256M => vec![(Request { token: None, ..upload(1 << 10) }, 401)],
            Self::LastOf10 | Self::LastOf1000 | Self::LastOf10000 => {
                let target = self.request().target;
                vec![
                    (get(&target.replacen("/line", "0/line", 1)), 404),
                    (get(&target.replacen("/23/", "/-1/", 1)), 400),
                ]
            }
        }
    }
}

fn get(target: &str) -> Request {
    Request { method: "GET", target: target.to_owned(), body: None, token: None, turns: 0 }
}

/// Adds a key to a request, or this number of keys that requests use in turn.
fn with_key(request: Request, turns: usize) -> Request {
    Request { token: Some(keys::token(0)), turns, ..request }
}

fn file(name: &str) -> String {
    format!("{}?filename={name}", files::PATH)
}

fn download(size: usize) -> Request {
    with_key(get(&file(&files::name(size))), 0)
}

fn upload(size: usize) -> Request {
    let body = Body { media_type: files::media_type(), text: files::body("public/up.txt", size) };
    Request { method: "POST", body: Some(body), ..with_key(get(files::PATH), 0) }
}

fn post_json(article: &Json) -> Request {
    post("/article", "application/json", article.to_string())
}

fn post_form(article: &Json) -> Request {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in article.as_object().into_iter().flatten() {
        match value {
            Json::String(text) => form.append_pair(name, text),
            other => form.append_pair(name, &other.to_string()),
        };
    }
    post("/article/form", "application/x-www-form-urlencoded", form.finish())
}

fn post(target: &str, media_type: &str, text: String) -> Request {
    let body = Some(Body { media_type: media_type.to_owned(), text });
    Request { method: "POST", body, ..with_key(get(target), keys::COUNT) }
}

/// Returns the body of a valid POST request.
fn article() -> Json {
    json!({
        "title": "On the nature of lines",
        "text": "A line begins where the eye does, and ends where the paper does; between the two, déjà vu. \
                 Whoever counts lines counts from one, but whoever keeps them counts from nought.",
        "lang": "en",
        "kind": "essay",
        "author": 1723,
        "category": 42,
        "rating": 4.5,
        "draft": false,
    })
}

fn refused_articles(post: fn(&Json) -> Request) -> Vec<(Request, u16)> {
    let with = |name: &str, value: Json| {
        let mut article = article();
        article[name] = value;
        (post(&article), 400)
    };
    let without_title = {
        let mut article = article();
        article.as_object_mut().map(|fields| fields.shift_remove("title"));
        (post(&article), 400)
    };
    let with_token = |token: Option<&str>| Request { token: token.map(str::to_owned), ..post(&article()) };
    vec![
        with("title", json!("")),
        with("text", json!("x".repeat(10_001))),
        with("lang", json!("e")),
        with("kind", json!("poem")),
        with("author", json!(-1)),
        with("category", json!(1001)),
        with("rating", json!(5.5)),
        with("draft", json!("perhaps")),
        without_title,
        (with_token(None), 401),
        (with_token(Some("unknown")), 401),
    ]
}
