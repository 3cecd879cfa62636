//! Servers with TLS, whose certificates come from an authority of the test.

#![cfg(feature = "tls")]

mod authority;
mod client;
mod client_certificates;
mod http1;
mod limits;
mod names;
mod reload;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rulebook::{
    ApiError, Args, ClientCertificates, Context, Download, Identity, Module, Rulebook, RunningServer, Settings,
    TlsSettings,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tempfile::TempDir;

use authority::Authority;
use client::Connection;

/// The length of the file that the tests download.
const FILE_LEN: usize = 9 << 20;

/// How long [`occupy`] keeps the worker busy: longer than a stopping server waits for requests.
const BUSY_TIME: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
struct Sent {
    text: String,
}

#[derive(Serialize)]
struct Received {
    length: usize,
}

#[derive(Serialize)]
struct Caller {
    name: String,
}

/// Returns the bytes of the file that the tests download.
fn file_bytes() -> Vec<u8> {
    (0..FILE_LEN).map(|at| (at % 251) as u8).collect()
}

async fn length(Args(sent): Args<Sent>, _: Context) -> Result<Received, ApiError> {
    Ok(Received { length: sent.text.len() })
}

async fn caller(_: Args<Nothing>, context: Context) -> Result<Caller, ApiError> {
    Ok(Caller { name: context.identity().map_or("nobody", Identity::name).to_owned() })
}

async fn bytes(_: Args<Nothing>, _: Context) -> Result<Download, ApiError> {
    Ok(Download::bytes(file_bytes()))
}

/// Keeps the worker busy for [`BUSY_TIME`], so that it serves no connection, shortly after the response has been sent.
async fn occupy(_: Args<Nothing>, _: Context) -> Result<(), ApiError> {
    actix_web::rt::spawn(async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        std::thread::sleep(BUSY_TIME);
    });
    Ok(())
}

/// Returns a program with the methods that the tests call.
fn program(data: &Path) -> Rulebook {
    let name = json!({ "name": { "info": "The name", "type": "string" } });
    let definition = json!({ "/": {
        "length": { "POST": {
            "info": "Counts the characters of a text",
            "in": { "text": { "info": "The text", "type": "string" } },
            "out": { "length": { "info": "Their number", "type": "int" } }
        } },
        "occupy": { "POST": { "info": "Keeps the worker busy" } },
        "caller": { "GET": { "info": "Names the caller", "out": name } },
        "billing": { "GET": { "info": "Names the caller", "scope": [["billing"]], "out": name } },
        "bytes": { "GET": { "info": "Returns a file", "options": { "download": true } } }
    } });
    let app = json!({ "limits": { "body": "32MB" } });
    let files = [("app.json", app), ("test.json", definition)];
    Rulebook::read(files.map(|(name, json)| (name.into(), json.to_string().into_bytes())).into())
        .data_folder(data)
        .module(
            Module::new("test")
                .post("/length", length)
                .post("/occupy", occupy)
                .get("/caller", caller)
                .get("/billing", caller)
                .get("/bytes", bytes),
        )
}

/// A server with TLS, and the authority of its certificate.
struct TestServer {
    running: RunningServer,
    authority: Authority,
    /// The folder with the data and the static files.
    _folder: TempDir,
}

impl TestServer {
    /// Starts a server with a certificate for `localhost`.
    fn start() -> Self {
        Self::start_with(|_, settings| settings, ClientCertificates::new())
    }

    /// Starts a server. `change` changes the settings, and can write files to the folder of the authority.
    fn start_with(
        change: impl FnOnce(&Authority, TlsSettings) -> TlsSettings,
        certificates: ClientCertificates,
    ) -> Self {
        Self::start_with_settings(change, |settings| settings, certificates)
    }

    fn start_with_settings(
        change: impl FnOnce(&Authority, TlsSettings) -> TlsSettings,
        change_server: impl FnOnce(Settings) -> Settings,
        certificates: ClientCertificates,
    ) -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        let static_files = folder.path().join("static");
        std::fs::create_dir(&static_files).unwrap();
        std::fs::write(static_files.join("file.bin"), file_bytes()).unwrap();
        let (certificate, key) = authority.write("site", &["localhost"]);
        let settings = Settings::new()
            // The case of a scheme is ignored.
            .with_bind(["HTTPS://127.0.0.1:0", "127.0.0.1:0"])
            .with_workers(1)
            .with_static_files(static_files)
            .with_tls(change(&authority, TlsSettings::new(certificate, key)));
        let engine = program(&folder.path().join("data")).authenticator(certificates).build().unwrap();
        let running = engine.serve(&change_server(settings)).unwrap();
        Self { running, authority, _folder: folder }
    }

    /// Returns the address with TLS.
    fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    /// Returns the address without TLS.
    fn plain_address(&self) -> SocketAddr {
        self.running.addresses()[1]
    }

    /// Opens a connection with TLS that speaks HTTP/1.1.
    fn connect(&self) -> Connection {
        self.try_connect(&self.authority.client()).unwrap()
    }

    fn try_connect(&self, client: &client::Client) -> std::io::Result<Connection> {
        client.connect(self.address(), "localhost")
    }

    /// Returns the metrics.
    fn metrics(&self) -> String {
        let response = client::plain_request(self.plain_address(), "GET /metrics HTTP/1.0\r\n\r\n");
        assert!(response.starts_with("HTTP/1.0 200 "), "{response}");
        response
    }

    /// Waits until a limit of connections has been exceeded.
    fn wait_for_limit(&self, limit: &str) {
        let sample = format!("rulebook_connection_limits_exceeded_total{{limit=\"{limit}\"}} ");
        client::wait_until(|| self.metrics().lines().any(|line| line.strip_prefix(&sample).is_some_and(|n| n != "0")));
    }
}
