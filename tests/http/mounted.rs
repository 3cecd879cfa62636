//! Tests an API that a program mounts as actix services in its own `App`: the whole API, and single modules of it.

use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, middleware, web};
use rulebook::{Services, Settings};
use serde_json::json;
use tempfile::TempDir;

use crate::client::{Connection, Request, TestServer, engine};

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
        let engine = engine(&files, |rulebook| rulebook);
        let uploads = tempfile::tempdir().unwrap();
        let settings = Settings::new().with_upload_folder(uploads.path());
        let api = engine.services(&settings).unwrap();
        let unknown = api.module("nothing").unwrap_err().to_string();
        assert_eq!(unknown, "the API has no module `nothing`; its modules are `article`, `user`");
        let (sender, started) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || App::new().configure(|app| mount(app, &api)));
                let server = server.workers(workers).disable_signals().bind("127.0.0.1:0").unwrap();
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
