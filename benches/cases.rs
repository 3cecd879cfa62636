//! What is measured: requests, and how much faster than hand-written code rulebook means to be at them.

use clap::ValueEnum;
use serde_json::{Value as Json, json};

use crate::{files, keys};

/// A case, by the name it has on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// GET without parameters
    Ping,
    /// GET with two path integers and a bounded query string
    Get,
    /// The GET with all three in the query
    Query,
    /// The same, defined in the dialect `rules`
    Rules,
    /// The same, the method named by `?service=`
    Service,
    /// The GET in JSONP
    Jsonp,
    /// POST of eight checked fields as JSON, by one of 100 bearer keys
    Json,
    /// The same fields urlencoded
    Form,
    /// OPTIONS of a service: its definition, made ready at start
    Options,
    /// The OpenAPI document, made ready at start
    Openapi,
    /// One of the demo's articles, read from SQLite
    Article,
    /// GET by the only bearer key that there is
    OneKey,
    /// The same, by each of 1,000 in turn
    ThousandKeys,
    /// A file of 1 KiB, beside actix-files
    #[value(name = "down-1k")]
    Down1K,
    /// The same, beside actix-files with `tcp_nodelay(true)`
    #[value(name = "down-1k-nodelay")]
    Down1KNodelay,
    /// The same, beside nginx, where it is installed
    #[value(name = "down-1k-nginx")]
    Down1KNginx,
    /// A file of 1 MiB, beside actix-files
    #[value(name = "down-1m")]
    Down1M,
    /// The same, beside actix-files with `tcp_nodelay(true)`
    #[value(name = "down-1m-nodelay")]
    Down1MNodelay,
    /// A file of 256 MiB, over one connection
    #[value(name = "down-256m")]
    Down256M,
    /// A file of 1 MiB uploaded, beside actix-multipart
    #[value(name = "up-1m")]
    Up1M,
    /// A file of 256 MiB uploaded, over one connection
    #[value(name = "up-256m")]
    Up256M,
    /// The GET, behind the last of 10 services
    #[value(name = "last-of-10")]
    LastOf10,
    /// The GET, behind the last of 1,000 services
    #[value(name = "last-of-1000")]
    LastOf1000,
    /// The GET, behind the last of 10,000 services
    #[value(name = "last-of-10000")]
    LastOf10000,
}

/// What both servers serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setup {
    /// Every endpoint once, and documents.
    Endpoints,
    /// The articles of the demo, from one database.
    Articles,
    /// Files that go out, beside a server written by hand.
    Files {
        /// Whether that server sends at once what there is.
        nodelay: bool,
    },
    /// The same files, beside nginx.
    Nginx,
    /// Files that come in.
    Uploads,
    /// Every endpoint once, for so many keys.
    Keys(usize),
    /// One endpoint under so many names.
    Many(usize),
}

/// What rulebook aims at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// At least so many requests for one of the hand-written server's.
    Ratio(f64),
    /// At least so many requests for one of rulebook's own of another case.
    Of(Case, f64),
}

/// A request of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// GET, POST or OPTIONS.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// What is posted.
    pub body: Option<Body>,
    /// The bearer token.
    pub token: Option<String>,
    /// Of how many keys measured requests take one after the other; of one where it is 0.
    pub turns: usize,
}

/// What is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its media type.
    pub media_type: String,
    /// Itself.
    pub text: String,
}

impl Case {
    /// What the table calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Get => "GET, two path integers and a query string",
            Self::Query => "GET, all three in the query string",
            Self::Rules => "the same, defined in the dialect `rules`",
            Self::Service => "the same, named by `?service=`",
            Self::Jsonp => "the GET in JSONP",
            Self::Json => "POST JSON, eight fields, one of 100 keys",
            Self::Form => "POST urlencoded, the same",
            Self::Options => "OPTIONS of a service",
            Self::Openapi => "the OpenAPI document",
            Self::Article => "an article, read from SQLite",
            Self::OneKey => "GET by the only key",
            Self::ThousandKeys => "GET by 1,000 keys in turn",
            Self::Down1K => "1 KiB down, beside actix-files",
            Self::Down1KNodelay => "1 KiB down, beside it with tcp_nodelay",
            Self::Down1KNginx => "1 KiB down, beside nginx",
            Self::Down1M => "1 MiB down, beside actix-files",
            Self::Down1MNodelay => "1 MiB down, beside it with tcp_nodelay",
            Self::Down256M => "256 MiB down, one connection",
            Self::Up1M => "1 MiB up, beside actix-multipart",
            Self::Up256M => "256 MiB up, one connection",
            Self::LastOf10 => "the GET behind the last of 10 services",
            Self::LastOf1000 => "the GET behind the last of 1,000 services",
            Self::LastOf10000 => "the GET behind the last of 10,000 services",
        }
    }

    /// What rulebook aims at.
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
            // What rounds differ by anyhow is no slope.
            Self::LastOf1000 | Self::LastOf10000 => Aim::Of(Self::LastOf10, 0.97),
        }
    }

    /// What is served when it is measured.
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

    /// Which of them loads the server: this program, where what is asked for is too large for whole requests to be
    /// counted in a round.
    pub fn is_large(self) -> bool {
        matches!(self, Self::Down256M | Self::Up256M)
    }

    /// The request that is measured.
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
            // What is measured is sent by another load, piece by piece.
            Self::Up256M => upload(1 << 10),
            Self::LastOf10 => get("/s10/line/23/7?lang=en"),
            Self::LastOf1000 => get("/s1000/line/23/7?lang=en"),
            Self::LastOf10000 => get("/s10000/line/23/7?lang=en"),
        }
    }

    /// Bad requests, and the status that both servers refuse them with.
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

/// The same, by so many keys in turn.
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

/// An article as a client sends it.
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
    let as_whom = |token: Option<&str>| Request { token: token.map(str::to_owned), ..post(&article()) };
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
        (as_whom(None), 401),
        (as_whom(Some("nobody's")), 401),
    ]
}
