//! The cases that the benchmark measures. Each case has a request, which is sent to the rulebook server and to a
//! hand-written server, and a goal: the minimum performance of rulebook compared to the hand-written server.

mod case_requests;
mod comparison;
mod goals;

use clap::ValueEnum;

pub use self::comparison::Comparison;
pub use self::goals::Goal;

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
    /// GET request for a row of SQLite with a handler `sql`, compared with sqlx
    SqlSqlite,
    /// GET request for a row of PostgreSQL with a handler `sql`, compared with sqlx
    SqlPostgres,
    /// The request of `sql-sqlite`, compared with FastAPI and SQLAlchemy
    SqlFastapi,
    /// GET request that a handler `http` sends to another server, compared with awc
    Http,
    /// The request of `http`, compared with nginx
    HttpNginx,
    /// GET request that a handler `process` sends to a Python process, compared with FastAPI
    Process,
    /// GET request that a handler `fastcgi` sends to php-fpm, compared with nginx
    Php,
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
    /// Methods whose handlers are in the definition.
    DefinedHandlers(Comparison),
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
            Self::SqlSqlite => "`sql`: a row of SQLite, with sqlx",
            Self::SqlPostgres => "`sql`: a row of PostgreSQL, with sqlx",
            Self::SqlFastapi => "`sql`: a row of SQLite, with FastAPI and SQLAlchemy",
            Self::Http => "`http`: JSON of another server, with awc",
            Self::HttpNginx => "`http`: JSON of another server, with nginx",
            Self::Process => "`process`: a function in Python, with FastAPI",
            Self::Php => "`fastcgi`: a script of php-fpm, with nginx",
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
            Self::SqlSqlite => ServedContent::DefinedHandlers(Comparison::SqliteByHand),
            Self::SqlPostgres => ServedContent::DefinedHandlers(Comparison::PostgresByHand),
            Self::SqlFastapi => ServedContent::DefinedHandlers(Comparison::SqliteFastapi),
            Self::Http => ServedContent::DefinedHandlers(Comparison::HttpByHand),
            Self::HttpNginx => ServedContent::DefinedHandlers(Comparison::HttpNginx),
            Self::Process => ServedContent::DefinedHandlers(Comparison::ProcessFastapi),
            Self::Php => ServedContent::DefinedHandlers(Comparison::PhpNginx),
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
}
