//! Reads certificates (RFC 5280) with the crate `x509-cert`.

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::client_certificate::CertificateNames;

/// Returns the names in a certificate in the DER format; `None` if it is not valid.
pub(super) fn parse_names(der: &[u8]) -> Option<CertificateNames> {
    let certificate = Certificate::from_der(der).ok()?.tbs_certificate;
    let mut names = CertificateNames { subject: certificate.subject.to_string(), ..CertificateNames::default() };
    let alternative = certificate.get::<SubjectAltName>().ok()?;
    for name in alternative.map(|(_, SubjectAltName(all))| all).unwrap_or_default() {
        match name {
            GeneralName::DnsName(name) => names.dns_names.push(name.as_str().to_owned()),
            GeneralName::UniformResourceIdentifier(uri) => names.uris.push(uri.as_str().to_owned()),
            GeneralName::Rfc822Name(email) => names.emails.push(email.as_str().to_owned()),
            _ => {}
        }
    }
    Some(names)
}

/// Returns the time until which a certificate in the DER format is valid, in seconds since 1970; `None` if the
/// certificate cannot be read.
pub(crate) fn certificate_expiry(der: &[u8]) -> Option<u64> {
    let validity = Certificate::from_der(der).ok()?.tbs_certificate.validity;
    Some(validity.not_after.to_unix_duration().as_secs())
}
