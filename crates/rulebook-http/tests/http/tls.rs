//! Upstreams with TLS, whose certificates come from an authority of the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rulebook_test::Client;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{fake, json_response, note_method, rulebook, serve, serve_note};

/// An authority that certifies upstreams, and the PEM file with its certificate.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// An upstream with TLS, which responds to each request with a note.
struct Upstream {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        // A PEM file can contain several certificates, and text between them.
        let other = rcgen::generate_simple_self_signed(["other.example".to_owned()]).unwrap();
        std::fs::write(folder.path().join("ca.pem"), format!("Test\n{}\n{}", other.cert.pem(), issuer.pem())).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// Starts an upstream with a certificate for these names, or one that has expired.
    fn upstream(&self, names: &[&str], is_expired: bool) -> Upstream {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        if is_expired {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private).unwrap();
        serve_tls(Arc::new(config))
    }
}

fn serve_tls(config: Arc<ServerConfig>) -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (opened, requests) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
    let (counted, received) = (Arc::clone(&opened), Arc::clone(&requests));
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::Relaxed);
            let (config, received) = (Arc::clone(&config), Arc::clone(&received));
            thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let mut request = Vec::new();
                let mut byte = [0];
                // The requests have no bodies.
                while matches!(stream.read(&mut byte), Ok(1)) {
                    request.push(byte[0]);
                    if request.ends_with(b"\r\n\r\n") {
                        let text = String::from_utf8(std::mem::take(&mut request)).unwrap();
                        let is_open = respond(&mut stream, &text);
                        received.lock().unwrap().push(text);
                        if !is_open {
                            return;
                        }
                    }
                }
            });
        }
    });
    Upstream { address, opened, requests }
}

/// Responds to a request. Returns `false` if the end of the connection is the end of the response: with an end of the
/// TLS connection for the path `/closed`, and without one for `/cut`.
fn respond(stream: &mut StreamOwned<ServerConnection, TcpStream>, request: &str) -> bool {
    let body = r#"{"text":"over TLS"}"#;
    let is_open = request.starts_with("GET /note ");
    let location = format!("HTTP/1.1 200 OK\r\nLocation: https://{}/a\r\n", stream.sock.local_addr().unwrap());
    let response = match is_open {
        true => json_response(body).replace("HTTP/1.1 200 OK\r\n", &location),
        false => format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
    };
    stream.write_all(response.as_bytes()).unwrap();
    if request.starts_with("GET /closed ") {
        stream.conn.send_close_notify();
    }
    stream.flush().unwrap();
    is_open
}

impl Upstream {
    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/note", self.address.port())
    }
}

/// Returns the status and the log of a call of `note.get` with this handler.
fn failed_note(handler: &Json) -> (u16, String) {
    let services = json!({ "note": { "GET": note_method(handler) } });
    let folder = tempfile::tempdir().unwrap();
    let engine = rulebook(&services, &json!({})).data_folder(folder.path()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let response = runtime.block_on(engine.call("note.get").send());
    (response.status(), response.error().and_then(|error| error.log()).unwrap_or_default().to_owned())
}

#[test]
fn a_certificate_of_the_authority_is_accepted() {
    let authority = Authority::new("a");
    let upstream = authority.upstream(&["localhost", "127.0.0.1"], false);
    for host in ["localhost", "127.0.0.1", "LOCALHOST"] {
        let handler = json!({ "http": upstream.url(host), "ca": authority.file(), "health": "/up" });
        let client = serve_note(&handler);
        for _ in 0..3 {
            let response = client.get("/note").send();
            assert_eq!((response.status(), response.output("text")), (200, json!("over TLS")), "{}", response.text());
        }
        assert_eq!(client.get("/readyz").send().status(), 200);
    }
    // Each program has opened one connection for its calls, and one for its readiness check.
    assert_eq!(upstream.opened.load(Ordering::Relaxed), 6);
    let requests = upstream.requests.lock().unwrap();
    let host = format!("localhost:{}", upstream.address.port());
    assert_eq!(fake::field(&requests[0], "host"), Some(host.as_str()));
}

#[test]
fn requests_are_sent_on_over_tls() {
    let authority = Authority::new("a");
    let upstream = authority.upstream(&["127.0.0.1"], false);
    let address = format!("https://{}", upstream.address);
    let method = json!({ "info": "A note", "handler": { "http": address, "raw": true } });
    let shared = json!({ "ca": authority.file() });
    let client = Client::new(rulebook(&json!({ "note": { "GET": method } }), &shared)).unwrap();
    let response = client.get("/note").send();
    assert_eq!((response.text(), response.header("location")), (r#"{"text":"over TLS"}"#, Some("/a")));
}

#[test]
fn a_response_that_an_attacker_can_have_cut_is_a_bad_gateway() {
    let authority = Authority::new("a");
    let upstream = authority.upstream(&["localhost"], false);
    for (path, status) in [("/note", 200), ("/closed", 200), ("/cut", 502)] {
        let handler = json!({ "http": upstream.url("localhost").replace("/note", path), "ca": authority.file() });
        assert_eq!(serve_note(&handler).get("/note").send().status(), status, "{path}");
    }
}

#[test]
fn a_certificate_that_is_not_valid_is_a_bad_gateway() {
    let (authority, other) = (Authority::new("a"), Authority::new("b"));
    let wrong_host = authority.upstream(&["other.example"], false);
    let expired = authority.upstream(&["localhost"], true);
    let unknown = authority.upstream(&["localhost"], false);
    for (upstream, ca, reason) in [
        (&wrong_host, &authority, "certificate not valid for name \"localhost\""),
        (&expired, &authority, "certificate expired"),
        (&unknown, &other, "UnknownIssuer"),
    ] {
        let handler = json!({ "http": upstream.url("localhost"), "ca": ca.file(), "retries": 3 });
        let (status, log) = failed_note(&handler);
        assert!(status == 502 && log.contains(reason), "{status}: {log}");
        assert!(log.contains("cannot open a TLS connection: invalid peer certificate"), "{log}");
        let response = serve_note(&handler).get("/note").send();
        assert_eq!((response.status(), response.code()), (502, Some("bad-gateway")));
        assert!(!response.text().contains("localhost") && !response.text().contains("certificate"));
        assert_eq!(upstream.requests.lock().unwrap().len(), 0, "no request was sent");
        assert_eq!(upstream.opened.load(Ordering::Relaxed), 2, "each call opens one connection");
    }
}

#[test]
fn an_upstream_without_tls_is_a_bad_gateway() {
    let authority = Authority::new("a");
    let plain = fake::start(|connection| {
        connection.receive();
        connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let handler = json!({ "http": plain.url("/").replace("http:", "https:"), "ca": authority.file() });
    let (status, log) = failed_note(&handler);
    assert!(status == 502 && log.contains("cannot open a TLS connection"), "{status}: {log}");
    let silent = fake::start(fake::Connection::wait_for_end);
    let handler = json!({
        "http": silent.url("/").replace("http:", "https:"), "ca": authority.file(), "connect_timeout": 0.3
    });
    assert_eq!(failed_note(&handler).0, 504);
}

#[test]
fn upstreams_with_other_authorities_have_other_connections() {
    let (authority, other) = (Authority::new("a"), Authority::new("b"));
    let upstream = authority.upstream(&["localhost"], false);
    let method = |authority: &Authority| json!({ "GET": note_method(&json!({ "http": upstream.url("localhost"), "ca": authority.file() })) });
    let client = serve(&json!({ "a": method(&authority), "b": method(&other), "c": method(&authority) }));
    for (path, status) in [("/a", 200), ("/b", 502), ("/c", 200)] {
        assert_eq!(client.get(path).send().status(), status, "{path}");
    }
}

#[test]
fn a_file_without_certificates_is_an_error_of_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let truncated = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    let wrong = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for (path, reason) in [
        (folder.path().join("missing.pem"), "No such file or directory"),
        (file("empty.pem", "no certificate"), "it contains no certificate"),
        (file("truncated.pem", truncated), "a certificate in it has no end"),
        (file("wrong.pem", wrong), "BadEncoding"),
    ] {
        let error = start_error(&path);
        assert!(error.contains("`ca` cannot be used: ") && error.contains(reason), "{error}");
        assert!(
            error.contains(path.file_name().unwrap().to_str().unwrap()) && error.contains("test.json:1:"),
            "{error}"
        );
        assert_eq!(error.matches("cannot be used").count(), 1, "{error}");
    }
}

#[test]
fn the_digest_of_an_api_changes_with_the_certificates_of_its_authorities() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let digest = |certificates: &str| {
        std::fs::write(&ca, certificates).unwrap();
        let services = json!({ "a": { "GET": note_method(&json!({ "http": "https://a/", "ca": ca })) } });
        rulebook(&services, &json!({})).data_folder(folder.path()).build().unwrap().digest()
    };
    let first = digest("a");
    assert_eq!(digest("a"), first);
    assert_ne!(digest("b"), first);
}

fn start_error(ca: &Path) -> String {
    let method = |host: &str| note_method(&json!({ "http": format!("https://{host}/"), "ca": ca }));
    let services = json!({ "a": { "GET": method("a") } });
    let folder = tempfile::tempdir().unwrap();
    let engine = rulebook(&services, &json!({})).data_folder(folder.path()).build().unwrap();
    engine.start().unwrap_err().to_string()
}

#[test]
fn the_authorities_of_the_system_are_the_default() {
    let authority = Authority::new("a");
    let upstream = authority.upstream(&["localhost"], false);
    let run = |file: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tls::calls_an_upstream_of_the_system", "--ignored", "--nocapture"]);
        command.env("SSL_CERT_FILE", file).env_remove("SSL_CERT_DIR").env("UPSTREAM", upstream.url("localhost"));
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let printed = run(&authority.file());
    assert!(printed.contains("status 200"), "{printed}");
    let printed = run(&Authority::new("b").file());
    assert!(printed.contains("status 502") && printed.contains("UnknownIssuer"), "{printed}");
    let printed = run("/nonexistent.pem");
    assert!(printed.contains("the system has no certificates of authorities"), "{printed}");
}

#[test]
#[ignore = "another test runs it in a process with other certificates"]
fn calls_an_upstream_of_the_system() {
    let (status, log) = failed_note(&json!({ "http": std::env::var("UPSTREAM").unwrap() }));
    eprintln!("status {status} {log}");
}
