//! Reads the credentials, the region and the server of buckets from the environment.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use url::Url;

/// Says whether writes have a checksum, which the server compares and stores ("Data Integrity Protections for Amazon
/// S3" in the reference of Amazon's SDKs).
const CHECKSUMS: &str = "AWS_REQUEST_CHECKSUM_CALCULATION";

/// Returns the settings in the variables `AWS_…` of the environment.
///
/// # Errors
/// Fails if a variable cannot be used. The error is a message that names it.
pub(crate) fn read_environment() -> Result<AmazonS3Builder, String> {
    read(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
}

/// Returns the settings in variables. An empty variable is not set. The crate object_store panics when it sends a
/// request with values that this function refuses.
fn read(variables: impl Iterator<Item = (String, String)>) -> Result<AmazonS3Builder, String> {
    let mut builder = AmazonS3Builder::new();
    // A request is signed with the same SHA-256, so this checksum costs nothing.
    let mut checksum = Some(Checksum::SHA256);
    for (name, value) in variables.filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty()) {
        if name == CHECKSUMS {
            checksum = match value.to_ascii_lowercase().as_str() {
                "when_supported" => Some(Checksum::SHA256),
                "when_required" => None,
                _ => {
                    return Err(format!(
                        "the environment variable {name} is neither `when_supported` nor `when_required`"
                    ));
                }
            };
        }
        let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() else { continue };
        if value.contains(char::is_control) {
            return Err(format!("the environment variable {name} contains a line break or another control character"));
        }
        let value = match key {
            AmazonS3ConfigKey::Endpoint
            | AmazonS3ConfigKey::S3Endpoint
            | AmazonS3ConfigKey::MetadataEndpoint
            | AmazonS3ConfigKey::StsEndpoint => parse_endpoint(&value).ok_or_else(|| {
                format!(
                    "the environment variable {name} is not the address of a server: expected `https://HOST` or \
                     `http://HOST:PORT`"
                )
            })?,
            _ => value,
        };
        builder = builder.with_config(key, value);
    }
    Ok(match checksum {
        Some(checksum) if builder.get_config_value(&AmazonS3ConfigKey::Checksum).is_none() => {
            builder.with_checksum_algorithm(checksum)
        }
        _ => builder,
    })
}

/// Returns the normal form of the address of a server; `None` if the text is no such address.
fn parse_endpoint(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let url = Url::parse(text).ok()?;
    let is_address = !rest.starts_with('/') && !rest.contains(['@', '?', '#', '\\', ' ']);
    is_address.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// Returns the address of the server of a bucket, if the environment contains one.
pub(crate) fn endpoint(builder: &AmazonS3Builder) -> Option<String> {
    let value = |key| builder.get_config_value(&key);
    value(AmazonS3ConfigKey::S3Endpoint).or_else(|| value(AmazonS3ConfigKey::Endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint_of(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let builder = read(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        builder.map(|builder| endpoint(&builder))
    }

    #[test]
    fn endpoints_that_are_not_addresses_are_refused() {
        for invalid in
            ["nonsense", "localhost:9000", "http://", "http:///x", "ftp://host", "http://a:b@host", "http://a b", " "]
        {
            let error = endpoint_of(&[("AWS_ENDPOINT_URL", invalid)]).unwrap_err();
            assert!(error.contains("AWS_ENDPOINT_URL is not the address of a server"), "{invalid}: {error}");
        }
        let error = endpoint_of(&[("AWS_ACCESS_KEY_ID", "key\n")]).unwrap_err();
        assert!(error.contains("AWS_ACCESS_KEY_ID contains a line break") && !error.contains("key\n"), "{error}");
    }

    #[test]
    fn the_endpoint_for_s3_has_precedence_and_empty_variables_are_not_set() {
        let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/");
        let found = |variables: &[(&str, &str)]| endpoint_of(variables).unwrap();
        assert_eq!(found(&[general]).as_deref(), Some("http://127.0.0.1:9000"));
        let special = ("AWS_ENDPOINT_URL_S3", "https://host/storage/v1/s3");
        assert_eq!(found(&[special, general]).as_deref(), Some("https://host/storage/v1/s3"));
        assert_eq!(found(&[("AWS_ENDPOINT_URL", ""), ("AWS_REGION", "")]), None);
        assert_eq!(found(&[("AWS_ENDPOINT_URL_S3", ""), general]).as_deref(), Some("http://127.0.0.1:9000"));
    }

    #[test]
    fn writes_have_a_checksum_unless_a_variable_disables_it() {
        let found = |variables: &[(&str, &str)]| {
            let builder = read(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            builder.map(|builder| builder.get_config_value(&AmazonS3ConfigKey::Checksum))
        };
        assert_eq!(found(&[]), Ok(Some("sha256".to_owned())));
        assert_eq!(found(&[(CHECKSUMS, "WHEN_SUPPORTED")]), Ok(Some("sha256".to_owned())));
        assert_eq!(found(&[(CHECKSUMS, "when_required")]), Ok(None));
        assert_eq!(found(&[("AWS_CHECKSUM_ALGORITHM", "crc64nvme")]), Ok(Some("crc64nvme".to_owned())));
        let error = found(&[(CHECKSUMS, "never")]).unwrap_err();
        assert!(error.contains(CHECKSUMS) && error.contains("`when_required`"), "{error}");
    }
}
