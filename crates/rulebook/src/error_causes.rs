//! Describes errors of other crates, whose causes are not part of their messages.

use std::error::Error;

/// A part of the message of a TLS client that has found no certificates of authorities.
const NO_AUTHORITIES: &str = "No CA certificates were loaded";
const AUTHORITIES_HELP: &str = "install the certificates of authorities, which are in the package ca-certificates of \
                                most systems, or name a file with them in SSL_CERT_FILE";

/// Returns the message of an error, followed by those of its causes that it does not contain, for the log. Says how to
/// get the certificates of authorities if they are missing on this machine.
pub fn describe_with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    if text.contains(NO_AUTHORITIES) {
        text = format!("{text}; {AUTHORITIES_HELP}");
    }
    text
}
