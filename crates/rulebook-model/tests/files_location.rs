//! Tests of the locations of stored files: folders, and URLs of buckets.

use std::time::Duration;

use rulebook_model::files_location::{FilesLocation, S3Location};

fn s3(text: &str) -> Option<S3Location> {
    match FilesLocation::parse(text) {
        Ok(FilesLocation::S3(location)) => Some(location),
        _ => None,
    }
}

#[test]
fn folders_and_urls_are_distinguished() {
    for folder in ["files", "./s3", "/srv/files", "C://files", "a b://c", "s3"] {
        assert_eq!(FilesLocation::parse(folder), Ok(FilesLocation::Folder(folder.into())), "{folder}");
    }
    let other = FilesLocation::Other { scheme: "mem".to_owned(), url: "MEM://x".to_owned() };
    assert_eq!(FilesLocation::parse("MEM://x"), Ok(other));
}

#[test]
fn urls_of_s3_have_a_bucket_a_prefix_and_options() {
    for (text, bucket, prefix) in [
        ("s3://files", "files", ""),
        ("S3://files/", "files", ""),
        ("s3://my-files.example/a/b_c/", "my-files.example", "a/b_c"),
    ] {
        let location = s3(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((location.bucket.as_str(), location.prefix.as_str()), (bucket, prefix), "{text}");
        assert_eq!((location.grace.as_secs(), location.sweep.as_secs()), (3600, 86400), "{text}");
        assert_eq!(s3(&location.url()), Some(location), "{text}");
    }
    let location = s3("s3://files/p?grace=90s&sweep=2d").unwrap_or_else(|| panic!("it is a location"));
    assert_eq!((location.grace, location.sweep), (Duration::from_secs(90), Duration::from_secs(172_800)));
}

#[test]
fn errors_name_what_is_wrong() {
    for (text, expected) in [
        (" ", "blank"),
        ("s3:/files", "no `//`"),
        ("s3://", "no bucket"),
        ("s3:///prefix", "no bucket"),
        ("s3://Files", "not a bucket"),
        ("s3://-files", "not a bucket"),
        ("s3://ab", "not a bucket"),
        ("s3://key:secret@files", "credentials or a port"),
        ("s3://files/a//b", "not a prefix"),
        ("s3://files/../b", "not a prefix"),
        ("s3://files/ü", "not a prefix"),
        ("s3://files/a#b", "fragment"),
        ("s3://files?grace=1", "not a duration"),
        ("s3://files?grace=99999999999d", "not a duration"),
        ("s3://files?graze=1h", "unknown option `graze`"),
    ] {
        let error = FilesLocation::parse(text).expect_err(text);
        assert!(error.to_string().contains(expected) && !error.help.is_empty(), "{text}: {error}");
        assert!(!error.to_string().contains("secret"), "{text}: {error}");
    }
}
