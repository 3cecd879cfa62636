//! Servers with certificates for several names.

use rulebook::ClientCertificates;

use super::TestServer;

#[test]
fn the_name_that_the_client_sends_selects_the_certificate() {
    let server = TestServer::start_with(
        |authority, tls| {
            let (one, key) = authority.write("one", &["one.example"]);
            let (other, other_key) = authority.write("other", &["*.other.example"]);
            tls.with_certificate(one, key).with_certificate(other, other_key)
        },
        ClientCertificates::new(),
    );
    let client = server.authority.client();
    let mut certificates = Vec::new();
    for name in ["localhost", "one.example", "a.other.example", "b.other.example"] {
        // The client verifies that the certificate is valid for the name.
        let mut connection = client.connect(server.address(), name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(connection.get("/caller").starts_with("HTTP/1.1 200 "), "{name}");
        certificates.push(connection.server_certificate());
    }
    assert!(certificates[0] != certificates[1] && certificates[2] == certificates[3]);
    let error = client.connect(server.address(), "unknown.example").err().unwrap();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn files_that_cannot_be_used_stop_the_start() {
    use rulebook::{Settings, TlsSettings};
    let authority = super::Authority::new();
    let (certificate, key) = authority.write("site", &["localhost"]);
    let (other, _) = authority.write("other", &["localhost"]);
    let tls = |certificate: &std::path::Path, key: &std::path::Path| Some(TlsSettings::new(certificate, key));
    let missing = authority.path("missing.pem");
    let with_ca = tls(&certificate, &key).unwrap().with_client_ca(&key, rulebook::ClientCertificateMode::Required);
    let cases = [
        (None, "there is no certificate"),
        (tls(&missing, &key), "missing.pem: No such file"),
        (tls(&certificate, &missing), "missing.pem: No such file"),
        (tls(&key, &key), "site.key contains no certificate"),
        (tls(&certificate, &certificate), "site.pem contains no private key"),
        (tls(&other, &key), "other.pem and"),
        (Some(with_ca), "site.key contains no certificate"),
    ];
    for (tls, expected) in cases {
        let settings = Settings::new().with_bind(["https://127.0.0.1:0"]).with_workers(1).with_tls(tls);
        let engine = super::program(authority.folder()).build().unwrap();
        let error = engine.serve(&settings).err().unwrap().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}
