//! The certificates of clients.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use rulebook::{ClientCertificate, ClientCertificateMode, RunningServer, Settings, TlsSettings};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// The certificate of a client, and its key.
struct Pair(rcgen::Certificate, KeyPair);

/// A server with TLS, and the authority of its certificate and of those of clients.
struct Server {
    running: RunningServer,
    authority: CertifiedIssuer<'static, KeyPair>,
    _folder: TempDir,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, "Test authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Returns a certificate of a client with these names.
fn client(authority: &CertifiedIssuer<'static, KeyPair>, names: Vec<SanType>) -> Pair {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.subject_alt_names = names;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    Pair(parameters.signed_by(&key, authority).unwrap(), key)
}

impl Server {
    fn start(authority: CertifiedIssuer<'static, KeyPair>, clients: &Json) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let tls = TlsSettings::new(write("site.pem", certificate.pem()), write("site.key", key.serialize_pem()))
            .with_client_ca(write("ca.pem", authority.pem()), ClientCertificateMode::Optional);
        let engine =
            super::rulebook(&json!({ "mtls": { "clients": clients } })).data_folder(folder.path().join("data"));
        let settings = Settings::new().with_bind(["https://127.0.0.1:0"]).with_workers(1).with_tls(tls);
        let running = engine.build().unwrap().serve(&settings).unwrap();
        Self { running, authority, _folder: folder }
    }

    /// Sends a request with the certificate of a client, and returns the status and the body of the response.
    fn get(&self, path: &str, pair: Option<&Pair>) -> (u16, String) {
        let certificate = pair.map(|Pair(certificate, key)| {
            let key = PrivateKey::from_pem(key.serialize_pem().as_bytes()).unwrap();
            ClientCert::new_with_certs(&[Certificate::from_der(certificate.der()).to_owned()], key)
        });
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(vec![Certificate::from_der(self.authority.der()).to_owned()])))
            .client_cert(certificate)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().new_agent();
        let url = format!("https://localhost:{}{path}", self.running.addresses()[0].port());
        let mut response = agent.get(url).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }
}

#[test]
fn names_in_certificates_select_the_caller() {
    let authority = authority();
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let uri = |uri: &str| SanType::URI(uri.try_into().unwrap());
    let billing = client(&authority, vec![dns("other.internal"), dns("Billing.internal")]);
    let reports = client(&authority, vec![uri("spiffe://example/reports")]);
    let both = client(&authority, vec![dns("billing.internal"), uri("spiffe://example/reports")]);
    let (nameless, stranger) = (client(&authority, vec![]), client(&authority, vec![dns("stranger.internal")]));
    let fingerprint = ClientCertificate::new(nameless.0.der()).fingerprint();
    let fingerprint = fingerprint.map(|byte| format!("{byte:02X}")).join(":");
    let server = Server::start(
        authority,
        &json!({
            "$comment": "Clients of this API",
            "uri:spiffe://example/reports": { "permissions": "reader" },
            "dns:billing.internal": { "name": "billing", "permissions": ["me", "user[{name}]"] },
            (format!("sha256:{fingerprint}")): { "name": "by hash", "permissions": ["me", "user[{name}]"] }
        }),
    );
    let status = |path: &str, pair: &Pair| server.get(path, Some(pair)).0;
    assert_eq!((status("/user/billing", &billing), status("/user/7", &billing)), (200, 403));
    assert_eq!((status("/note", &billing), status("/me", &billing)), (403, 200));
    let me = server.get("/me", Some(&billing)).1;
    assert!(me.contains(r#""name":"billing""#) && me.contains(r#"["me","user[billing]"]"#), "{me}");
    assert_eq!((status("/note", &reports), status("/me", &reports)), (200, 403));
    assert_eq!((status("/note", &both), status("/me", &both)), (200, 403), "the first key decides");
    let me = server.get("/me", Some(&nameless)).1;
    assert!(me.contains(r#""permissions":["me"]"#), "a name with a space is no part of a permission: {me}");
    assert_eq!((status("/note", &stranger), status("/open", &stranger)), (401, 200));
    assert_eq!((server.get("/note", None).0, server.get("/open", None).0), (401, 200));
    let openapi: Json = serde_json::from_str(&server.get("/openapi.json", None).1).unwrap();
    assert_eq!(openapi["components"]["securitySchemes"]["certificate"]["type"], "mutualTLS");
    let security = &openapi["paths"]["/note"]["get"]["security"];
    assert!(security.to_string().contains(r#"{"certificate":["#), "{security}");
}
