//! What only buckets do: parts of contents, unfinished uploads, cleaning up.

use rulebook::Content;
use rulebook::store::{Precondition, StoreError};

use super::places::{
    Objects, creates_buckets, file_name, new_publication, new_url, open_s3, publish_file, read_file, read_stream,
    stage_file, wait_until,
};

/// Bytes that differ at all offsets.
fn large_content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index / 7 % 251) as u8).collect()
}

#[test]
fn a_large_file_is_sent_in_parts_and_read_in_ranges() {
    let Some(url) = new_url() else { return };
    let store = open_s3(&url);
    // The parts have 5 MiB.
    for length in [(5 << 20) - 1, 5 << 20, (5 << 20) + 1, 13 << 20] {
        let content = large_content(length);
        let mut writer = store.writer(1 << 30).unwrap();
        for piece in content.chunks(700_000) {
            writer.write(piece).unwrap();
        }
        let staged = writer.finish().unwrap();
        assert_eq!(staged.hash(), blake3::hash(&content).to_hex().to_string());
        store.publish(staged, &file_name("large"), &Precondition::default()).unwrap();
        let Content::Ranged(read) = store.read(&file_name("large")).unwrap().content else { panic!("no ranges") };
        assert_eq!(read.length(), length as u64);
        for range in [0..length, 0..1, length - 1..length, 5_000_000..5_000_010] {
            assert!(
                read_stream(read.stream(range.start as u64..range.end as u64)) == content[range.clone()],
                "{range:?}"
            );
        }
    }
    assert_eq!(Objects::new(&url).count("uploads"), 0, "the records of complete uploads are deleted");
}

#[test]
fn an_upload_that_is_not_finished_or_not_published_is_deleted() {
    let Some(url) = new_url() else { return };
    let (store, objects) = (open_s3(&url), Objects::new(&url));
    let mut writer = store.writer(1 << 30).unwrap();
    writer.write(&large_content(11 << 20)).unwrap();
    assert_eq!(objects.count("uploads"), 1);
    drop(writer);
    drop(stage_file(&store, b"x"));
    let failed =
        store.publish(stage_file(&store, b"x"), &file_name("a"), &Precondition::if_match(rulebook::ETag::strong("x")));
    assert!(matches!(failed, Err(StoreError::PreconditionFailed(_))));
    assert!(wait_until(|| objects.count("uploads") + objects.count("content") == 0), "{:?}", objects.list(""));
    // moto does not list uploads by prefix.
}

#[test]
fn replaced_contents_are_deleted_after_the_grace_time_and_not_before() {
    let Some(url) = new_url() else { return };
    let (store, objects) = (open_s3(&format!("{url}?grace=2s&sweep=0s")), Objects::new(&url));
    publish_file(&store, "a", b"one").unwrap();
    let Content::Ranged(before) = store.read(&file_name("a")).unwrap().content else { panic!("no ranges") };
    publish_file(&store, "a", b"two").unwrap();
    store.publish_all(["a", "b"].map(|name| new_publication(&store, name, b"three")).into()).unwrap();
    assert_eq!(read_stream(before.stream(0..3)), b"one", "a download that has begun can end");
    assert_eq!(objects.count("content"), 4);
    assert!(wait_until(|| objects.count("content") == 2));
    assert_eq!((read_file(&store, "a").unwrap(), read_file(&store, "b").unwrap()), (b"three".into(), b"three".into()));
}

#[test]
fn the_search_deletes_old_contents_without_a_name_and_keeps_all_others() {
    let Some(url) = new_url() else { return };
    let objects = Objects::new(&url);
    objects.put("content/00000000000000000000000000000000", "left by a killed server");
    objects.put("content/not an id", "of unknown origin");
    objects.put("uploads/00000000000000000000000000000001", "{\"upload\":\"unknown\"}");
    let stores = [0, 1].map(|_| open_s3(&format!("{url}?grace=1h&sweep=2s")));
    publish_file(&stores[0], "a", b"one").unwrap();
    stores[1].publish_all(["b", "c/d"].map(|name| new_publication(&stores[1], name, b"two")).into()).unwrap();
    publish_file(&stores[1], "a", b"three").unwrap();
    assert!(wait_until(|| objects.count("content") == 3), "{:?}", objects.list("content"));
    for (name, content) in [("a", "three"), ("b", "two"), ("c/d", "two")] {
        assert_eq!(read_file(&stores[0], name).unwrap(), content.as_bytes());
    }
    assert!(wait_until(|| objects.count("transactions") == 0), "a complete publication leaves no decision");
}

#[test]
fn a_bucket_that_cannot_be_used_is_an_error_that_names_no_secrets() {
    let Some(url) = new_url() else { return };
    if creates_buckets() {
        eprintln!("this server has every bucket: an unknown one is not checked");
    } else {
        let error = rulebook_s3::open_url("s3://there-is-no-such-bucket/x").unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("opening the bucket of stored files") && text.contains("NoSuchBucket"), "{text}");
    }
    Objects::new(&url).put("state/format", "{\"format\":2}");
    let error = rulebook_s3::open_url(&url).unwrap_err().to_string();
    assert!(error.contains("newer version") && !error.contains("check that the bucket exists"), "{error}");
}

#[test]
fn files_of_a_bucket_that_was_deleted_are_unavailable_and_not_missing() {
    if new_url().is_none() {
        return;
    }
    let bucket = format!("rulebook-deleted-{}", std::process::id());
    let url = format!("s3://{bucket}/files");
    let objects = Objects::new(&url);
    ureq::put(objects.bucket_url(ureq::http::Method::PUT)).send_empty().unwrap();
    let store = open_s3(&url);
    publish_file(&store, "a", b"one").unwrap();
    assert!(matches!(store.read(&file_name("NoSuchBucket")), Err(StoreError::NotFound(_))));
    objects.list("").iter().for_each(|(key, _)| objects.delete(key));
    ureq::delete(objects.bucket_url(ureq::http::Method::DELETE)).call().unwrap();
    for failed in [store.read(&file_name("a")).map(drop), store.info(&file_name("b")).map(drop)] {
        assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
    }
}

#[test]
fn a_name_that_is_too_long_for_a_key_is_an_error() {
    let Some(url) = new_url() else { return };
    let store = open_s3(&url);
    let name = vec!["封".repeat(80); 4].join("/");
    let failed = publish_file(&store, &name, b"x");
    assert!(matches!(failed, Err(StoreError::NameTooLong { .. })), "{failed:?}");
    assert!(matches!(store.read(&file_name(&name)), Err(StoreError::NotFound(_))));
}
