//! Clients with certificates (mutual TLS).

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::SanType;
use rulebook::{CertificateName, ClientCertificate, ClientCertificateMode, ClientCertificates, Identity};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};

use super::TestServer;
use super::authority::{Authority, Pair};
use super::client::{Client, wait_until};

const MODES: [ClientCertificateMode; 2] = [ClientCertificateMode::Required, ClientCertificateMode::Optional];

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// Starts a server that knows a few names of clients.
fn start(mode: ClientCertificateMode) -> TestServer {
    let known = [
        ("dns:billing.internal", Identity::new("billing", ["billing"])),
        ("uri:spiffe://example/reports", Identity::new("reports", ["reader"])),
        ("email:ada@Example.org", Identity::new("ada", ["billing"])),
    ];
    let certificates = known
        .into_iter()
        .fold(ClientCertificates::new(), |all, (name, identity)| all.with(name.parse().unwrap(), identity));
    TestServer::start_with(|authority, tls| tls.with_client_ca(authority.file(), mode), certificates)
}

/// Returns the response to a request of a client with this certificate; `None` if the server does not accept it.
fn response(server: &TestServer, pair: Option<Pair>, path: &str) -> Option<String> {
    response_to(server, &Client::new(&server.authority, pair), path).map(|(response, _)| response)
}

/// Returns the response to a request of a client, and the kind of the handshake of its connection; `None` if the server
/// does not accept it.
fn response_to(server: &TestServer, client: &Client, path: &str) -> Option<(String, HandshakeKind)> {
    let mut connection = server.try_connect(client).ok()?;
    // With TLS 1.3, the client learns only after the handshake that the server has rejected its certificate.
    connection.0.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
    let response = String::from_utf8(connection.receive().ok()?).ok()?;
    Some((response, connection.0.conn.handshake_kind()?))
}

/// Returns the time in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn the_names_of_a_certificate_select_the_identity() {
    let server = start(ClientCertificateMode::Required);
    let uri = |uri: &str| SanType::URI(uri.try_into().unwrap());
    let email = |email: &str| SanType::Rfc822Name(email.try_into().unwrap());
    let cases = [
        (vec![dns("other.internal"), dns("Billing.Internal")], "billing", 200),
        (vec![uri("spiffe://example/reports")], "reports", 403),
        (vec![uri("spiffe://example/Reports")], "nobody", 401),
        (vec![email("ada@example.org")], "ada", 200),
        (vec![email("Ada@example.org")], "nobody", 401),
        (vec![], "nobody", 401),
    ];
    for (names, name, status) in cases {
        // The subject is not a name that an authority has to check.
        let pair = || Some(server.authority.client_pair("billing.internal", &names, false));
        let caller = response(&server, pair(), "/caller").unwrap();
        assert!(caller.contains(&format!("\"name\":\"{name}\"")), "{names:?}: {caller}");
        let billing = response(&server, pair(), "/billing").unwrap();
        assert!(billing.starts_with(&format!("HTTP/1.1 {status} ")), "{names:?}: {billing}");
    }
}

#[test]
fn certificates_that_are_not_valid_are_rejected() {
    for mode in MODES {
        let server = start(mode);
        let expired = server.authority.client_pair("a", &[dns("billing.internal")], true);
        let foreign = Authority::new().client_pair("a", &[dns("billing.internal")], false);
        for (pair, why) in [(expired, "expired"), (foreign, "from another authority")] {
            assert_eq!(response(&server, Some(pair), "/caller"), None, "{why}, {mode:?}");
        }
        let accepted = response(&server, None, "/caller");
        assert_eq!(accepted.is_some(), mode == ClientCertificateMode::Optional, "{mode:?}: {accepted:?}");
        assert!(response(&server, Some(server.authority.client_pair("a", &[], false)), "/caller").is_some());
    }
}

#[test]
fn an_expired_certificate_is_rejected_although_the_client_has_a_session() {
    let servers = MODES.map(start);
    // Enough time for the first connections, also on a busy machine.
    let expiry = now() + 6;
    let mut clients = Vec::new();
    for server in &servers {
        for version in [&TLS12, &TLS13] {
            let pair = server.authority.client_pair_until("a", &[dns("billing.internal")], expiry);
            let client = Client::with_versions(&server.authority, Some(pair), &[version]);
            for _ in 0..2 {
                let (caller, handshake) = response_to(server, &client, "/caller").unwrap();
                assert!(caller.contains("billing") && handshake == HandshakeKind::Full, "{handshake:?}: {caller}");
            }
            clients.push((server, client));
        }
    }
    wait_until(|| now() > expiry);
    for (server, client) in clients {
        assert_eq!(response_to(server, &client, "/caller"), None);
    }
}

#[test]
fn sessions_are_resumed_if_clients_have_no_certificates() {
    let server = TestServer::start();
    for version in [&TLS12, &TLS13] {
        let client = Client::with_versions(&server.authority, None, &[version]);
        let handshakes = [(); 2].map(|()| response_to(&server, &client, "/caller").unwrap().1);
        assert_eq!(handshakes, [HandshakeKind::Full, HandshakeKind::Resumed], "{version:?}");
    }
}

#[test]
fn a_server_without_authorities_asks_for_no_certificate() {
    let server = TestServer::start();
    let pair = server.authority.client_pair("a", &[dns("billing.internal")], false);
    assert!(response(&server, Some(pair), "/caller").unwrap().contains("nobody"));
}

#[test]
fn a_changed_file_of_authorities_takes_effect() {
    let server = start(ClientCertificateMode::Required);
    let other = Authority::new();
    let pair = || Some(other.client_pair("a", &[dns("billing.internal")], false));
    assert_eq!(response(&server, pair(), "/caller"), None);
    let previous = server.authority.client_pair("a", &[dns("billing.internal")], false);
    let previous = Client::new(&server.authority, Some(previous));
    assert!(response_to(&server, &previous, "/caller").is_some());
    std::fs::copy(other.file(), server.authority.file()).unwrap();
    wait_until(|| response(&server, pair(), "/caller").is_some_and(|text| text.contains("billing")));
    assert_eq!(response_to(&server, &previous, "/caller"), None);
}

#[test]
fn certificates_have_names_and_a_fingerprint() {
    let authority = Authority::new();
    let names = [dns("a.example"), SanType::URI("urn:x".try_into().unwrap()), dns("b.example")];
    let pair = authority.client_pair("Billing, Inc.", &names, false);
    let certificate = ClientCertificate::new(&pair.certificate);
    assert_eq!(certificate.subject(), r"CN=Billing\, Inc.");
    assert_eq!(certificate.dns_names().collect::<Vec<_>>(), ["a.example", "b.example"]);
    assert_eq!((certificate.uris().collect::<Vec<_>>(), certificate.emails().count()), (vec!["urn:x"], 0));
    assert_eq!(certificate.der(), &pair.certificate[..]);
    let name = CertificateName::Fingerprint(certificate.fingerprint());
    assert_eq!(name.to_string().parse(), Ok(name.clone()));
    assert!(name.is_in(&certificate) && !name.is_in(&ClientCertificate::new(b"no certificate")));
    for text in ["", "dns", "dns:", "host:a", "sha256:00", "sha256:zz"] {
        assert!(text.parse::<CertificateName>().is_err(), "{text}");
    }
}
