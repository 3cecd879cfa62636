//! Tests of the errors of `rulebook serve` if files are stored in a bucket.

use super::{RunResult, shop_folder};
use crate::server_process::program;

#[test]
fn a_bucket_that_cannot_be_used_is_reported_with_the_cause() {
    let folder = shop_folder();
    let serve = |variables: &[(&str, &str)]| {
        let mut command = program(folder.path());
        command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "secret").env_remove("AWS_ENDPOINT_URL");
        command.args(["serve", "--bind", "127.0.0.1:0", "--files", "s3://bucket/x"]).envs(variables.iter().copied());
        let result = RunResult::from(command.output().unwrap());
        assert_eq!(result.exit_code, Some(3), "{}", result.stderr);
        result.stderr
    };
    let expected = "the environment variable AWS_ENDPOINT_URL is not the address of a server: expected `https://HOST` \
                    or `http://HOST:PORT`";
    for invalid in ["nonsense", "localhost:9000", "http://", "http:///x", "ftp://host", "http://a:b@host", "http://a b"]
    {
        let endpoint = serve(&[("AWS_ENDPOINT_URL", invalid)]);
        assert!(endpoint.contains(expected) && !endpoint.contains("panicked"), "{invalid}: {endpoint}");
    }
    let control = serve(&[("AWS_ACCESS_KEY_ID", "secret\n")]);
    assert!(control.contains("AWS_ACCESS_KEY_ID contains a line break") && !control.contains("secret"), "{control}");
    let checksum = serve(&[("AWS_REQUEST_CHECKSUM_CALCULATION", "never")]);
    assert!(checksum.contains("is neither `when_supported` nor `when_required`"), "{checksum}");
    let missing = [("SSL_CERT_FILE", "/missing"), ("SSL_CERT_DIR", "/missing")];
    let certificates = serve(&missing);
    assert!(certificates.contains("No CA certificates were loaded from the system; install the"), "{certificates}");
    let plain = serve(&[&missing[..], &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]].concat());
    assert!(plain.contains("Connection refused") && plain.contains("check that the bucket exists"), "{plain}");
}
