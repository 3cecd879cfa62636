//! What a TLS connection shows about its client.

use super::ClientCertificate;

/// What a TLS connection shows about its client. The heads of all requests of the connection share it.
#[derive(Debug)]
pub(crate) struct TlsSession {
    /// The certificate of the client, which has been verified; `None` if the client has sent none.
    pub(crate) client_certificate: Option<ClientCertificate>,
}
