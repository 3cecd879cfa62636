//! Tests an API that a program mounts as actix services in its own `App`: the whole API, and single modules of it.

use std::net::SocketAddr;

use actix_service::Service;
use actix_web::dev::{ServerHandle, ServiceRequest};
use actix_web::guard::Get;
use actix_web::http::Uri;
use actix_web::{App, HttpServer, middleware, web};
use rulebook::{Engine, Services, Settings};
use serde_json::json;
use tempfile::TempDir;

use crate::client::{Connection, Request, TestServer, engine, frame};

/// An actix server of a program, in which the API is mounted.
struct MountedServer {
    address: SocketAddr,
    handle: ServerHandle,
    /// The folder for temporary files, which is removed when this value is dropped.
    _upload_folder: TempDir,
}

/// Mounts the program's own route, an API module in an actix scope with a middleware, and the whole API.
fn mount_all(app: &mut web::ServiceConfig, api: &Services) {
    let article = api.module("article").unwrap();
    let marked = middleware::DefaultHeaders::new().add(("x-scope", "article"));
    app.route("/hello", web::get().to(|| async { "hello" }))
        .service(web::scope("/api/article").wrap(marked).service(article.clone()))
        .service(web::scope("/only").service(article))
        .configure(|app| api.configure(app));
}

/// Rewrites the target `/old` to one whose text is a constant.
fn rewrite<S: Service<ServiceRequest>>(mut request: ServiceRequest, next: &S) -> S::Future {
    if request.path() == "/old" {
        request.head_mut().uri = Uri::from_static("/new");
        request.match_info_mut().get_mut().update(&Uri::from_static("/new"));
    }
    next.call(request)
}

impl MountedServer {
    fn start(workers: usize) -> Self {
        Self::start_with(workers, mount_all)
    }

    fn start_with(workers: usize, mount: fn(&mut web::ServiceConfig, &Services)) -> Self {
        let article = json!({ "/": { "article/{id}": {
            "GET": { "info": "An article", "in": { "{id}": { "info": "Which", "type": "id", "name": "id" } } },
            "POST": { "info": "A text", "in": {
                "{id}": { "info": "Which", "type": "id", "name": "id" },
                "text": { "info": "The text", "type": "string" }
            } }
        } } });
        let user = json!({ "/": { "user": { "GET": { "info": "The user", "scope": [["reader"]] } } } });
        let app = json!({ "base": "/api", "unbound": "echo", "limits": { "body": 100 } });
        let files = [("app.json", app), ("article.json", article), ("user.json", user)];
        Self::of_engine(&engine(&files, |rulebook| rulebook), workers, mount)
    }

    fn of_engine(engine: &Engine, workers: usize, mount: fn(&mut web::ServiceConfig, &Services)) -> Self {
        let uploads = tempfile::tempdir().unwrap();
        let settings = Settings::new().with_upload_folder(uploads.path());
        let api = engine.services(&settings).unwrap();
        let unknown = api.module("nothing").unwrap_err().to_string();
        assert!(unknown.starts_with("the API has no module `nothing`; its modules are `"), "{unknown}");
        let (sender, started) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().wrap_fn(rewrite).configure(|app| mount(app, &api));
                let server = HttpServer::new(app);
                let server = server.workers(workers).disable_signals().bind_auto_h2c("127.0.0.1:0").unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = started.recv().unwrap();
        Self { address, handle, _upload_folder: uploads }
    }

    fn connect(&self) -> Connection {
        Connection::open(self.address)
    }
}

impl Drop for MountedServer {
    fn drop(&mut self) {
        // Calling `stop` sends the command. The server stops later, and the test does not wait for its end.
        drop(self.handle.stop(false));
    }
}

#[test]
fn an_actix_app_serves_its_own_routes_beside_the_mounted_api() {
    let mounted = MountedServer::start(1);
    let mut connection = mounted.connect();
    assert_eq!(connection.send(&Request::new("GET", "/hello")).body, b"hello");
    let response = connection.send(&Request::new("GET", "/api/article/7"));
    response.assert_args(&json!({ "id": 7 }));
    assert_eq!(response.field("x-scope"), Some("article"), "the middleware of the scope has seen it");
    assert!(response.field("x-request-id").is_some());
    let request = Request::new("POST", "/api/article/7").body("application/json", r#"{ "text": "a" }"#);
    connection.send(&request).assert_args(&json!({ "id": 7, "text": "a" }));
    let response = connection.send(&Request::new("GET", "/api/user").scope(&["reader"]));
    assert_eq!((response.status, response.field("x-scope")), (200, None));
    connection.send(&Request::new("GET", "/api/user")).assert_error(401, "a credential is required");
    assert_eq!(connection.send(&Request::new("GET", "/openapi.json")).json()["openapi"], "3.1.0");
    assert_eq!(connection.send(&Request::new("GET", "/docs/")).status, 200);
    let root = connection.send(&Request::new("GET", "/"));
    assert_eq!((root.status, root.field("location")), (307, Some("docs/")));
    connection.send(&Request::new("GET", "/nowhere")).assert_error(404, "no service has this URI");
}

#[test]
fn a_mounted_api_refuses_the_same_requests_as_a_standalone_server() {
    let mounted = MountedServer::start(1);
    let mut connection = mounted.connect();
    connection.send(&Request::new("GET", "/api/article/x")).assert_error(400, "id");
    let long = Request::new("POST", "/api/article/7").body("application/json", "x".repeat(101));
    connection.send(&long).assert_error(413, "over the limit `body`");
    connection.send(&Request::new("PUT", "/api/article/7")).assert_error(405, "GET, HEAD, POST, OPTIONS");
    let mut connection = mounted.connect();
    let head = Request::new("POST", "/api/article/7").field("content-length", 1_000_000);
    connection.write(&head.head());
    let response = connection.read_response(false);
    response.assert_error(413, "over the limit `body`");
    assert_eq!(response.field("connection"), Some("close"), "the body was not read");
}

#[test]
fn the_actix_service_of_a_module_has_only_the_paths_of_that_module() {
    let mounted = MountedServer::start(1);
    let mut connection = mounted.connect();
    // The actix scope decides which requests arrive at the actix service. The definition decides which paths the API
    // module has.
    for target in ["/only", "/only/article/7", "/api/article/7/8", "/api/article"] {
        connection.send(&Request::new("GET", target)).assert_error(404, "no service has this URI");
    }
    let options = connection.send(&Request::new("OPTIONS", "/api/article/7"));
    assert_eq!((options.status, options.field("allow")), (200, Some("GET, HEAD, POST, OPTIONS")));
}

#[test]
fn the_actix_service_of_a_module_reveals_nothing_about_the_methods_of_other_modules() {
    let mounted = MountedServer::start_with(1, |app, api| {
        app.service(api.module("article").unwrap());
    });
    let mut connection = mounted.connect();
    connection.send(&Request::new("GET", "/api/article/7")).assert_args(&json!({ "id": 7 }));
    connection.send(&Request::new("PUT", "/api/article/7")).assert_error(405, "GET, HEAD, POST, OPTIONS");
    for request in [Request::new("GET", "/api/user"), Request::new("PUT", "/api/user")] {
        let response = connection.send(&request);
        assert_eq!((response.status, response.field("allow")), (404, None), "the response of the program's own `App`");
    }
}

#[test]
fn the_default_service_knows_only_the_parts_that_are_mounted() {
    let mounted = MountedServer::start_with(1, |app, api| {
        app.service(api.module("article").unwrap()).default_service(api.fallback());
    });
    let mut connection = mounted.connect();
    connection.send(&Request::new("GET", "/api/article/7")).assert_args(&json!({ "id": 7 }));
    for path in ["/api/user", "/openapi.json", "/healthz", "/metrics", "/-/x", "/nowhere"] {
        connection.send(&Request::new("GET", path)).assert_error(404, "no service has this URI");
    }
    assert_eq!(connection.send(&Request::new("OPTIONS", "/api")).status, 200);
}

#[test]
fn the_server_of_the_api_serves_routes_of_the_program_with_long_bodies() {
    let module = json!({ "/": { "user": { "GET": { "info": "The user" } } } });
    let engine = engine(&[("app.json", json!({ "unbound": "echo" })), ("module.json", module)], |rulebook| {
        rulebook.app(|api, app| {
            app.route("/length", web::post().to(|body: web::Bytes| async move { body.len().to_string() }));
            api.configure(app);
            Ok(())
        })
    });
    let server = TestServer::start(&engine);
    let mut connection = server.connect();
    // The body contains empty lines like those that end heads.
    let body = "POST /length HTTP/1.1\r\nhost: a\r\n\r\n".repeat(5_000);
    let upload = Request::new("POST", "/length").body("text/plain", &*body).bytes();
    connection.write(&[&*upload, &*Request::new("GET", "/user").bytes(), &*upload].concat());
    assert_eq!(connection.read_response(false).body, body.len().to_string().into_bytes());
    connection.read_response(false).assert_args(&json!({}));
    assert_eq!(connection.read_response(false).body, body.len().to_string().into_bytes());
}

#[test]
fn all_actix_services_of_one_engine_have_common_metrics() {
    let mounted = MountedServer::start(2);
    for _ in 0..10 {
        mounted.connect().send(&Request::new("GET", "/api/article/7"));
        mounted.connect().send(&Request::new("GET", "/api/user"));
    }
    let counted = mounted.connect().send(&Request::new("GET", "/metrics"));
    let counted = String::from_utf8(counted.body).unwrap();
    for (method, status, code) in [("article.{id}.get", "200", ""), ("user.get", "401", "unauthenticated")] {
        let line = format!("rulebook_requests_total{{method=\"{method}\",status=\"{status}\",code=\"{code}\"}} 10\n");
        assert!(counted.contains(&line), "{line}{counted}");
    }
}

/// Returns an API with a hundred modules, each with a service that has a name, and its requests for the last of them.
fn hundred_modules(base: &str) -> (Engine, Vec<Request>) {
    let app = json!({ "base": base, "unbound": "echo", "service": { "on": true }, "dispatch": true });
    let method = json!({ "info": "Nothing" });
    let module = |index| json!({ "/": { format!("m{index}/get"): { "GET": method, "POST": method } } });
    let modules = (0..100).map(|index| (format!("m{index:02}.json"), module(index)));
    let files: Vec<_> = [("app.json".to_owned(), app)].into_iter().chain(modules).collect();
    let files: Vec<_> = files.iter().map(|(name, json)| (name.as_str(), json.clone())).collect();
    let (root, base) = (base, base.trim_end_matches('/'));
    let mut targets: Vec<_> = ["http://test", "http://test?service=M99.Get", "*", "/", "/?", "/nowhere", "/healthz"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    for query in ["", "?", "?service=M99.Get", "?s=M99.Get"] {
        targets.extend([format!("{root}{query}"), format!("http://test{base}/{query}")]);
    }
    targets.push(format!("{base}/m99/get"));
    let mut requests: Vec<_> = targets
        .iter()
        .flat_map(|target| ["GET", "POST", "OPTIONS"].map(|method| Request::new(method, target)))
        .collect();
    let form = "application/x-www-form-urlencoded";
    requests.push(Request::new("POST", root).body(form, "service=M99.Get"));
    requests.push(Request::new("POST", root).body("application/json", r#"{ "module": "m99", "method": "get" }"#));
    requests
        .push(Request::new("OPTIONS", root).field("origin", "http://a").field("access-control-request-method", "PUT"));
    (engine(&files, |rulebook| rulebook), requests)
}

#[test]
fn each_request_is_routed_once() {
    for base in ["/", "/v1"] {
        let (engine, requests) = hundred_modules(base);
        let server = TestServer::start(&engine);
        let mounted = MountedServer::of_engine(&engine, 1, |app, api| api.configure(app));
        for address in [server.address(), mounted.address] {
            let id = |connection: &mut Connection, request: &Request| {
                let response = connection.send(request);
                u64::from_str_radix(response.field("x-request-id").unwrap(), 16).unwrap()
            };
            let mut connection = Connection::open(address);
            let mut last = id(&mut connection, &Request::new("GET", "/healthz"));
            for request in requests.iter().chain(&requests) {
                let next = id(&mut connection, request);
                assert_eq!(next.wrapping_sub(last), 1, "{base} {request:?}");
                last = next;
            }
            // A request without any field has no memory of its own.
            for _ in 0..2 {
                let mut connection = Connection::open(address);
                connection.write(b"GET / HTTP/1.0\r\n\r\n");
                let response = connection.read_response(false);
                let next = u64::from_str_radix(response.field("x-request-id").unwrap(), 16).unwrap();
                assert_eq!(next.wrapping_sub(last), 1, "{base}");
                last = next;
            }
        }
    }
}

/// A route of the program handles the first request, about which the services of the API were asked before.
#[test]
fn a_request_does_not_get_the_route_of_an_earlier_one() {
    let mounted = MountedServer::start_with(1, |app, api| {
        app.service(api.module("article").unwrap());
        app.route("/new", web::route().guard(Get()).to(|| async { "new" }));
        app.default_service(api.fallback());
    });
    let mut connection = mounted.connect();
    for target in ["/old", "/new"] {
        for number in 0..3 {
            let first = Request::new("GET", target).field("x-request-id", "first").scope(&["reader"]);
            assert_eq!(connection.send(&first).body, b"new");
            let id = format!("second-{number}");
            let second = connection.send(&Request::new("POST", target).field("x-request-id", &id));
            assert_eq!((second.status, second.field("x-request-id")), (404, Some(&*id)), "{target}");
        }
    }
}

#[test]
fn an_actix_app_with_http2_receives_bodies_of_unknown_length() {
    const DATA_FRAME: u8 = 0;
    const HEADERS_FRAME: u8 = 1;
    const SETTINGS_FRAME: u8 = 4;
    let mounted = MountedServer::start(1);
    let mut connection = mounted.connect();
    connection.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    connection.write(&frame(SETTINGS_FRAME, 0, 0, &[]));
    // The head as literals of HPACK (RFC 7541 section 6): POST, http, the path and the authority; without a length.
    let fields = [&[0x83, 0x86, 0x44, 14][..], b"/api/article/7", &[0x41, 4], b"test"].concat();
    connection.write(&frame(HEADERS_FRAME, 0x4, 1, &fields));
    connection.write(&frame(DATA_FRAME, 0, 1, b"text="));
    connection.write(&frame(DATA_FRAME, 0x1, 1, b"word"));
    let (mut status, mut body) = (None, Vec::new());
    loop {
        while connection.unread.len() < 9 {
            assert!(connection.read_more());
        }
        let length = usize::from(connection.unread[1]) << 8 | usize::from(connection.unread[2]);
        while connection.unread.len() < 9 + length {
            assert!(connection.read_more());
        }
        let frame: Vec<u8> = connection.unread.drain(..9 + length).collect();
        match frame[3] {
            HEADERS_FRAME => status = Some(frame[9]),
            DATA_FRAME => body.extend(&frame[9..]),
            _ => {}
        }
        if frame[8] == 1 && frame[4] & 1 == 1 {
            break;
        }
    }
    assert_eq!(status, Some(0x88), "`:status 200` of the static table");
    let response: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(response["args"], json!({ "id": 7, "text": "word" }));
}
