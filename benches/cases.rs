//! The cases that the benchmark measures. Each case has a request, which is sent to the rulebook server and to a
//! hand-written server, and a goal: the minimum performance of rulebook compared to the hand-written server.

use crate::orders;
use crate::requests::{
    download_request, file_target, get_request, invalid_article_requests, post_form, post_json, post_orders,
    upload_request, valid_article, with_token,
};
use clap::ValueEnum;

/// A case of the benchmark. The name of its variant is its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// GET request without parameters
    Ping,
    /// GET request with two integers in the path and a string in the query
    Get,
    /// GET request with two integers and a string in the query
    Query,
    /// The request of `get`, on a server that compares the outputs of each call with the definition
    GetVerified,
    /// The request of `query`, for a definition in the dialect `rules`
    Rules,
    /// The request of `query`, with `?service=` instead of a path to select the method
    Service,
    /// The request of `get`, with a JSONP response
    Jsonp,
    /// POST request with eight fields as JSON, and one of 100 bearer keys
    Json,
    /// The request of `json`, with the fields in urlencoded form
    Form,
    /// POST request with almost 1 MiB of JSON, in which objects have 50 schemas
    Schemas,
    /// OPTIONS request, whose response is rendered at start
    Options,
    /// GET request for the OpenAPI document, which is rendered at start
    Openapi,
    /// The request of `openapi` from a client that has the document already, so that the response has no body
    NotModified,
    /// GET request for an article of the demo, which is read from SQLite
    Article,
    /// GET request with a bearer key, on a server with a single key
    OneKey,
    /// GET requests with 1,000 different bearer keys in turn
    ThousandKeys,
    /// Download of 1 KiB, compared with actix-files
    #[value(name = "down-1k")]
    Down1K,
    /// Download of 1 KiB, compared with actix-files with `tcp_nodelay(true)`
    #[value(name = "down-1k-nodelay")]
    Down1KNodelay,
    /// Download of 1 KiB, compared with nginx, if it is installed
    #[value(name = "down-1k-nginx")]
    Down1KNginx,
    /// Download of 1 MiB, compared with actix-files
    #[value(name = "down-1m")]
    Down1M,
    /// Download of 1 MiB, compared with actix-files with `tcp_nodelay(true)`
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
    /// The request of `get`, to the last of 10 services
    #[value(name = "last-of-10")]
    LastOf10,
    /// The request of `get`, to the last of 1,000 services
    #[value(name = "last-of-1000")]
    LastOf1000,
    /// The request of `get`, to the last of 10,000 services
    #[value(name = "last-of-10000")]
    LastOf10000,
}

/// What both servers serve for a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServedContent {
    /// Each endpoint of the benchmark once, and the documents of the API.
    Endpoints,
    /// The same as `Endpoints`, with outputs that are compared with the definition.
    VerifiedEndpoints,
    /// The articles of the demo. Both servers read them from the same database.
    Articles,
    /// Downloads of files. The other server is the hand-written one.
    Files {
        /// If `true`, the hand-written server sets the socket option `TCP_NODELAY`.
        nodelay: bool,
    },
    /// Downloads of files. The other server is nginx.
    Nginx,
    /// Uploads of files.
    Uploads,
    /// Each endpoint of the benchmark once, and this number of bearer keys.
    BearerKeys(usize),
    /// One endpoint with this number of paths, each a service.
    ManyServices(usize),
}

/// The goal of a case: a minimum performance of rulebook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The number of requests per second must be at least this multiple of the other server's number.
    RatioToOtherServer(f64),
    /// The number of requests per second must be at least this multiple of rulebook's number in another case.
    RatioToCase(Case, f64),
}

/// The HTTP request of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method: GET, POST or OPTIONS.
    pub method: &'static str,
    /// The request target: path and query.
    pub target: String,
    /// The body of a POST request.
    pub body: Option<Body>,
    /// The bearer token of the caller; `None` if the caller is anonymous.
    pub token: Option<String>,
    /// The number of bearer tokens that the measured requests use in turn. If it is 0, all requests have `token`.
    pub token_count: usize,
    /// `true` if the client has the requested document already: the request has the field `If-None-Match: *`.
    pub has_document: bool,
}

/// The body of a POST request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The value of `Content-Type`.
    pub media_type: String,
    /// The bytes of the body, which are UTF-8 text.
    pub text: String,
}

impl Case {
    /// Returns the name of the case on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Returns the title of the case in the table of results.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Get => "GET, two integers in the path, a text in the query",
            Self::GetVerified => "the same, with outputs compared",
            Self::Query => "GET, all three in the query",
            Self::Rules => "the same, in the dialect `rules`",
            Self::Service => "the same, named by `?service=`",
            Self::Jsonp => "the GET in JSONP",
            Self::Json => "POST of eight fields as JSON, with a key",
            Self::Form => "POST of the same fields urlencoded",
            Self::Schemas => "POST of 1 MiB of JSON with 50 schemas",
            Self::Options => "OPTIONS of a service",
            Self::Openapi => "the OpenAPI document",
            Self::NotModified => "the OpenAPI document, not modified",
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

    /// Returns the goal of the case.
    pub fn goal(self) -> Goal {
        match self {
            Self::Ping | Self::Openapi | Self::OneKey => Goal::RatioToOtherServer(0.97),
            Self::Options | Self::NotModified => Goal::RatioToCase(Self::Ping, 0.9),
            Self::Get | Self::Query | Self::Json | Self::Form => Goal::RatioToOtherServer(1.05),
            // The outputs are converted to JSON values once more.
            Self::GetVerified => Goal::RatioToCase(Self::Get, 0.8),
            Self::Rules | Self::Service => Goal::RatioToCase(Self::Query, 0.95),
            Self::Article => Goal::RatioToOtherServer(1.0),
            Self::ThousandKeys => Goal::RatioToCase(Self::OneKey, 0.97),
            Self::Down1K => Goal::RatioToOtherServer(11.0),
            Self::Down1KNodelay => Goal::RatioToOtherServer(1.4),
            Self::Schemas | Self::Down1KNginx => Goal::RatioToOtherServer(0.8),
            Self::Down1M => Goal::RatioToOtherServer(2.2),
            Self::Down1MNodelay => Goal::RatioToOtherServer(1.7),
            Self::Down256M => Goal::RatioToOtherServer(2.0),
            Self::Up1M => Goal::RatioToOtherServer(1.1),
            Self::Up256M => Goal::RatioToOtherServer(1.2),
            Self::LastOf10 => Goal::RatioToOtherServer(1.3),
            Self::Jsonp => Goal::RatioToCase(Self::Get, 0.95),
            // The number of services should have no effect. The goal is below 1, because measurements vary.
            Self::LastOf1000 | Self::LastOf10000 => Goal::RatioToCase(Self::LastOf10, 0.97),
        }
    }

    /// Returns the maximum ratio of the user time that rulebook spends on a request to that of the hand-written server;
    /// `None` if the case has no such goal.
    pub fn user_time_goal(self) -> Option<f64> {
        match self {
            Self::Ping => Some(1.0),
            Self::Get | Self::Json | Self::Form => Some(0.9),
            _ => None,
        }
    }

    /// Returns what the servers must serve for this case.
    pub fn served_content(self) -> ServedContent {
        match self {
            Self::Ping
            | Self::Get
            | Self::Query
            | Self::Rules
            | Self::Service
            | Self::Jsonp
            | Self::Json
            | Self::Form
            | Self::Schemas
            | Self::Options
            | Self::Openapi
            | Self::NotModified => ServedContent::Endpoints,
            Self::GetVerified => ServedContent::VerifiedEndpoints,
            Self::Article => ServedContent::Articles,
            Self::OneKey => ServedContent::BearerKeys(1),
            Self::ThousandKeys => ServedContent::BearerKeys(1_000),
            Self::Down1K | Self::Down1M | Self::Down256M => ServedContent::Files { nodelay: false },
            Self::Up1M | Self::Up256M => ServedContent::Uploads,
            Self::Down1KNodelay | Self::Down1MNodelay => ServedContent::Files { nodelay: true },
            Self::Down1KNginx => ServedContent::Nginx,
            Self::LastOf10 => ServedContent::ManyServices(10),
            Self::LastOf1000 => ServedContent::ManyServices(1_000),
            Self::LastOf10000 => ServedContent::ManyServices(10_000),
        }
    }

    /// Returns `true` if the benchmark program itself sends the requests. The tool `wrk` cannot measure such large
    /// requests, because it counts only requests that are completed in a round.
    pub fn is_large(self) -> bool {
        matches!(self, Self::Down256M | Self::Up256M)
    }

    /// Returns the request that is measured.
    pub fn request(self) -> Request {
        match self {
            Self::Ping => get_request("/ping"),
            Self::Get | Self::GetVerified => get_request("/article/line/23/7?lang=en"),
            Self::Query => get_request("/article/query?article_id=23&no_line=7&lang=en"),
            Self::Rules => get_request("/lines/query?article_id=23&no_line=7&lang=en"),
            Self::Service => get_request("/?service=Article.Query&article_id=23&no_line=7&lang=en"),
            Self::Jsonp => get_request("/script/line/23/7?lang=en&callback=app.show"),
            Self::Json => post_json(&valid_article()),
            Self::Form => post_form(&valid_article()),
            Self::Schemas => post_orders(orders::body()),
            Self::Options => Request { method: "OPTIONS", ..get_request("/ping") },
            Self::Openapi => get_request("/openapi.json"),
            Self::NotModified => Request { has_document: true, ..get_request("/openapi.json") },
            Self::Article => get_request("/article/3"),
            Self::OneKey => with_token(get_request("/private"), 0),
            Self::ThousandKeys => with_token(get_request("/private"), 1_000),
            Self::Down1K | Self::Down1KNodelay | Self::Down1KNginx => download_request(1 << 10),
            Self::Down1M | Self::Down1MNodelay => download_request(1 << 20),
            Self::Down256M => download_request(256 << 20),
            Self::Up1M => upload_request(1 << 20),
            // This small request is used only to compare the responses. `drive::load` sends the measured requests.
            Self::Up256M => upload_request(1 << 10),
            Self::LastOf10 => get_request("/s10/line/23/7?lang=en"),
            Self::LastOf1000 => get_request("/s1000/line/23/7?lang=en"),
            Self::LastOf10000 => get_request("/s10000/line/23/7?lang=en"),
        }
    }

    /// Returns invalid requests, each with the status that both servers must respond with.
    pub fn invalid_requests(self) -> Vec<(Request, u16)> {
        match self {
            Self::Ping => vec![(get_request("/pong"), 404)],
            Self::Get | Self::GetVerified => vec![
                (get_request("/article/line/23/seven?lang=en"), 400),
                (get_request("/article/line/23/2147483648?lang=en"), 400),
                (get_request("/article/line/23/7?lang=e"), 400),
                (get_request("/article/line/23/7"), 400),
            ],
            Self::Query | Self::Rules => {
                let target = self.request().target;
                vec![
                    (get_request(&target.replacen("line=7", "line=seven", 1)), 400),
                    (get_request(&target.replacen("line=7", "line=2147483648", 1)), 400),
                    (get_request(&target.replacen("&lang=en", "", 1)), 400),
                ]
            }
            Self::Service => vec![
                (get_request("/?service=Article.Lines&article_id=23&no_line=7&lang=en"), 404),
                (get_request("/?service=Article.Query&article_id=23&no_line=seven&lang=en"), 400),
                (get_request("/?service=Article.Query&article_id=23&no_line=7"), 400),
            ],
            Self::Jsonp => vec![
                (get_request("/script/line/23/7?lang=en&callback=alert(1)"), 400),
                (get_request("/script/line/23/7?lang=en&callback=a..b"), 400),
            ],
            Self::Json => invalid_article_requests(post_json),
            Self::Form => invalid_article_requests(post_form),
            Self::Schemas => {
                let body = orders::body();
                vec![
                    (post_orders(body.replacen("\"EUR\"", "\"EURO\"", 1)), 400),
                    (post_orders(body.replacen("\"weight\":", "\"weigth\":", 1)), 400),
                    (post_orders(body.replacen("\"count\":0", "\"count\":1001", 1)), 400),
                ]
            }
            Self::Options => vec![(Request { method: "OPTIONS", ..get_request("/pong") }, 404)],
            Self::Openapi | Self::NotModified => vec![(get_request("/openapi.yaml"), 404)],
            Self::Article => vec![(get_request("/article/3000000"), 404), (get_request("/article/three"), 400)],
            Self::OneKey | Self::ThousandKeys => vec![(get_request("/private"), 401)],
            Self::Down1KNginx => vec![(Request { target: file_target("public/none.txt"), ..download_request(1) }, 404)],
            Self::Down1K | Self::Down1KNodelay | Self::Down1M | Self::Down1MNodelay | Self::Down256M => vec![
                (Request { target: file_target("public/none.txt"), ..download_request(1) }, 404),
                (Request { target: file_target("public/../none.txt"), ..download_request(1) }, 400),
                (Request { token: None, ..download_request(1 << 10) }, 401),
            ],
            Self::Up1M | Self::Up256M => vec![(Request { token: None, ..upload_request(1 << 10) }, 401)],
            Self::LastOf10 | Self::LastOf1000 | Self::LastOf10000 => {
                let target = self.request().target;
                vec![
                    (get_request(&target.replacen("/line", "0/line", 1)), 404),
                    (get_request(&target.replacen("/23/", "/-1/", 1)), 400),
                ]
            }
        }
    }
}
