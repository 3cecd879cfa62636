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

#[cfg(test)]
mod tests {
    use std::io;

    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("{message}")]
    struct Outer {
        message: &'static str,
        source: io::Error,
    }

    fn describe(message: &'static str, cause: &str) -> String {
        describe_with_causes(&Outer { message, source: io::Error::other(cause) })
    }

    #[test]
    fn causes_are_described_once() {
        assert_eq!(describe("builder error", "no space"), "builder error: no space");
        assert_eq!(describe("builder error: no space", "no space"), "builder error: no space");
    }

    #[test]
    fn missing_certificates_of_authorities_are_explained() {
        let text = describe("builder error", "unexpected error: No CA certificates were loaded from the system");
        assert!(text.ends_with(AUTHORITIES_HELP), "{text}");
    }
}
