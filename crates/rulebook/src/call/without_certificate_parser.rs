//! Takes the place of `certificate_parser` if the feature `tls` of the crate is disabled: certificates are not read.

use super::client_certificate::CertificateNames;

pub(super) fn parse_names(_: &[u8]) -> Option<CertificateNames> {
    None
}
