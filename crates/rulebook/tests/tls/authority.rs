//! An authority that certifies the server and the clients of a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use super::client::Client;

/// An authority, and the folder with its files.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key.
pub(super) struct Pair {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, "Test authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// Returns the certificate of the authority.
    pub(super) fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// Returns the file with the certificate of the authority.
    pub(super) fn file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a certificate of the server with these names and its key to files, and returns them.
    pub(super) fn write(&self, name: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        self.write_until(name, names, 2090)
    }

    /// Does the same as [`Authority::write`], for a certificate that is valid until a year begins.
    pub(super) fn write_until(&self, name: &str, names: &[&str], year: i32) -> (PathBuf, PathBuf) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let (certificate_file, key_file) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        fs::write(&certificate_file, format!("{}{}", certificate.pem(), self.issuer.pem())).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        (certificate_file, key_file)
    }

    /// Returns a certificate of a client.
    pub(super) fn client_pair(&self, subject: &str, names: &[SanType], is_expired: bool) -> Pair {
        // In the years 2020 and 2096.
        self.client_pair_until(subject, names, if is_expired { 1_600_000_000 } else { 4_000_000_000 })
    }

    /// Returns a certificate of a client that is valid until this time, in seconds since 1970.
    pub(super) fn client_pair_until(&self, subject: &str, names: &[SanType], end: u64) -> Pair {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, subject);
        parameters.subject_alt_names = names.to_vec();
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        parameters.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(end);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.der().clone(), key: PrivateKeyDer::try_from(key.serialize_der()).unwrap() }
    }

    /// Returns a client that trusts this authority, and has no certificate.
    pub(super) fn client(&self) -> Client {
        Client::new(self, None)
    }
}
