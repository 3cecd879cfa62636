//! Download links that several servers share.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use futures_util::stream;
use rulebook::store::NewLink;
use rulebook::{ApiError, Args, Context, Download, Module, Rulebook};
use rulebook_test::{Client, TestResponse};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::places::{Objects, new_url, wait_until};

#[derive(Deserialize)]
struct Parameters {
    length: usize,
    uses: u32,
}

/// Bytes that differ at all offsets.
pub fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index / 7 % 251) as u8).collect()
}

/// Returns a file with this length, and how often a link to it can be used; 0 for any number.
async fn file(Args(Parameters { length, uses }): Args<Parameters>, _: Context) -> Result<Download, ApiError> {
    let pieces: Vec<_> = content(length).chunks(700_000).map(|piece| Ok(piece.to_vec().into())).collect();
    let file = Download::stream(stream::iter(pieces)).name("figures é.bin").header("X-Own", "2");
    Ok(NonZeroU32::new(uses).into_iter().fold(file, Download::link_uses))
}

fn server(url: &str, settings: &Json) -> Client {
    start(program(settings).keep_files(), url)
}

fn start(rulebook: Rulebook, url: &str) -> Client {
    Client::new(rulebook_s3::add(rulebook).files_folder(url)).unwrap_or_else(|error| panic!("{error}"))
}

fn program(settings: &Json) -> Rulebook {
    let number = json!({ "info": "A number", "type": "uint(0,20000000)" });
    let mut document: Json = json!({ "title": "Links", "modules": { "links": { "GET": {
        "info": "A file", "options": { "download": true }, "in": { "GET@length": number, "GET@uses": number }
    } } } });
    for (name, value) in settings.as_object().unwrap() {
        document[name] = value.clone();
    }
    let rulebook = Rulebook::read(vec![("app.json".into(), document.to_string().into_bytes())]);
    rulebook.module(Module::new("links").get("/", file))
}

pub fn servers<const N: usize>(url: &str, settings: &Json) -> [Client; N] {
    std::array::from_fn(|_| server(url, settings))
}

fn request_link(server: &Client, length: usize, uses: u32) -> TestResponse {
    server.get(&format!("/?length={length}&uses={uses}")).header("X-Requested-With", "XMLHttpRequest").send()
}

#[track_caller]
pub fn create_link(server: &Client, length: usize, uses: u32) -> String {
    let response = request_link(server, length, uses);
    assert_eq!(response.status(), 200, "{}", response.text());
    response.json()["link"].as_str().unwrap().to_owned()
}

pub fn count_links(objects: &Objects) -> [usize; 2] {
    ["links/heads", "links/content"].map(|folder| objects.count(folder))
}

#[test]
fn a_link_that_one_server_creates_is_valid_at_all_servers_and_after_their_restart() {
    let Some(url) = new_url() else { return };
    let [one, two, three]: [Client; 3] = servers(&url, &json!({}));
    for length in [0, 10, 6_000_000] {
        let link = create_link(&one, length, 0);
        for server in [&two, &three, &one] {
            let file = server.get(&link).send();
            assert_eq!(file.status(), 200, "{}", file.text());
            assert!(file.body() == content(length));
            assert_eq!((file.header("X-Own"), file.header("Cache-Control")), (Some("2"), Some("private")));
            assert!(file.header("Content-Disposition").unwrap().contains("figures"));
        }
        let tag = one.get(&link).send().header("ETag").unwrap().to_owned();
        assert_eq!(two.get(&link).header("If-None-Match", &tag).send().status(), 304);
        assert_eq!(two.request("HEAD", &link).send().header("Content-Length"), Some(length.to_string().as_str()));
        if length > 100 {
            let part = two.get(&link).header("Range", "bytes=5300000-5300009").header("If-Range", &tag).send();
            assert_eq!((part.status(), part.body()), (206, &content(length)[5_300_000..5_300_010]));
        }
    }
    let link = create_link(&two, 10, 0);
    drop((one, two, three));
    let restarted = server(&url, &json!({}));
    assert_eq!(restarted.get(&link).send().body(), content(10));
    assert_eq!(restarted.get(&format!("{link}0")).send().status(), 403);
}

#[test]
fn programs_that_store_no_files_share_their_links_too() {
    let Some(url) = new_url() else { return };
    let servers = [0, 1].map(|_| start(program(&json!({})), &url));
    let link = create_link(&servers[0], 10, 0);
    assert_eq!(servers[1].get(&link).send().body(), content(10));
}

#[test]
fn servers_that_create_their_first_link_at_the_same_time_have_the_same_key() {
    let Some(url) = new_url() else { return };
    let servers: [Client; 3] = servers(&url, &json!({}));
    let links: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = servers.iter().map(|server| scope.spawn(|| create_link(server, 1, 0))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for server in &servers {
        for link in &links {
            assert_eq!(server.get(link).send().status(), 200);
        }
    }
    let objects = Objects::new(&url);
    let keys = objects.list("state").into_iter().filter(|(key, _)| key == "state/link-key").collect::<Vec<_>>();
    assert_eq!((keys.len(), keys[0].1.len()), (1, 128));
}

#[test]
fn an_invalid_key_is_an_error_that_does_not_show_it() {
    let Some(url) = new_url() else { return };
    let server = server(&url, &json!({}));
    Objects::new(&url).put("state/link-key", "\"secret\"");
    let response = request_link(&server, 1, 0);
    assert_eq!(response.status(), 503);
    assert!(!response.text().contains("secret"));
}

/// Several clients request the same link at the same moment at all servers. Each number of downloads is exact.
#[test]
fn a_link_with_a_limited_number_of_downloads_is_sent_exactly_this_often() {
    let Some(url) = new_url() else { return };
    let servers: [Client; 3] = servers(&url, &json!({}));
    for (round, uses) in [1, 1, 1, 4].into_iter().enumerate() {
        let link = create_link(&servers[round % 3], 20_000, uses);
        let head = servers[0].request("HEAD", &link).send();
        assert_eq!((head.status(), head.header("Content-Length")), (200, Some("20000")));
        let started = AtomicBool::new(false);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let threads: Vec<_> = (0..12)
                .map(|number| {
                    let (server, link, started) = (&servers[number % 3], &link, &started);
                    scope.spawn(move || {
                        while !started.load(Ordering::Relaxed) {
                            thread::yield_now();
                        }
                        // A condition or a range does not change that the whole file is sent.
                        let response = server.get(link).header("Range", "bytes=0-0").send();
                        if response.status() == 200 {
                            assert!(response.body() == content(20_000));
                            assert_eq!(response.header("Cache-Control"), Some("no-store"));
                            assert_eq!(
                                (response.header("ETag"), response.header("Accept-Ranges")),
                                (None, Some("none"))
                            );
                        }
                        response.status()
                    })
                })
                .collect();
            started.store(true, Ordering::Relaxed);
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let count = |status| statuses.iter().filter(|other| **other == status).count();
        assert_eq!((count(200), count(410)), (uses as usize, 12 - uses as usize), "{statuses:?}");
        assert!(servers.iter().all(|server| server.get(&link).send().status() == 410));
    }
    // The files of links for one download are deleted at once. That of the other link remains until it has expired,
    // because earlier downloads may not have ended.
    let objects = Objects::new(&url);
    assert!(wait_until(|| count_links(&objects) == [1, 1]), "{:?}", objects.list("links"));
}

#[test]
fn a_deleted_link_is_gone_at_all_servers() {
    let Some(url) = new_url() else { return };
    let servers: [Client; 2] = servers(&url, &json!({}));
    let objects = Objects::new(&url);
    let link = create_link(&servers[0], 10, 0);
    objects.delete(&objects.list("links/heads")[0].0);
    for server in &servers {
        assert_eq!(server.get(&link).send().status(), 410);
    }
}

/// The server that created the links has stopped; another one deletes their files.
#[test]
fn expired_links_are_gone_and_any_server_deletes_their_files() {
    let Some(url) = new_url() else { return };
    let options = format!("{url}?grace=1s&sweep=2s");
    let [one, other]: [Client; 2] = servers(&options, &json!({ "limits": { "link": 3 } }));
    let objects = Objects::new(&url);
    let link = create_link(&one, 10, 0);
    let used = create_link(&one, 10, 2);
    assert_eq!([&one, &other, &one].map(|server| server.get(&used).send().status()), [200, 200, 410]);
    objects.put("links/content/00000000000000000000000000000000", "the content of a server that was killed");
    let longer = server(&options, &json!({}));
    let valid = create_link(&longer, 10, 0);
    drop((one, longer));
    assert!(wait_until(|| other.get(&link).send().status() == 410));
    assert!(wait_until(|| count_links(&objects) == [1, 1]), "{:?}", objects.list("links"));
    assert_eq!(other.get(&valid).send().status(), 200);
}

#[test]
fn the_files_of_all_servers_count_against_the_limit() {
    let Some(url) = new_url() else { return };
    let [one, other]: [Client; 2] =
        servers(&format!("{url}?grace=1s"), &json!({ "limits": { "links": 20_000, "link": 4 } }));
    // Each file counts as three blocks of 4 KiB.
    create_link(&one, 5_000, 0);
    assert!(wait_until(|| request_link(&other, 10_000, 0).status() == 503), "the file of the other server counts");
    assert!(wait_until(|| request_link(&other, 10_000, 0).status() == 200), "the file has expired");
}

#[test]
fn an_upload_that_is_not_finished_leaves_nothing() {
    let Some(url) = new_url() else { return };
    let server = server(&url, &json!({ "limits": { "links": 12_000_000 } }));
    assert_eq!(request_link(&server, 13_000_000, 0).status(), 503);
    let objects = Objects::new(&url);
    assert!(
        wait_until(|| objects.count("uploads") == 0 && count_links(&objects) == [0, 0]),
        "{:?}",
        objects.list("links")
    );
}

#[test]
fn clients_are_redirected_to_the_bucket_if_the_setting_says_so() {
    let Some(url) = new_url() else { return };
    let servers: [Client; 2] = servers(&url, &json!({ "link_target": "presigned" }));
    let link = create_link(&servers[0], 30_000, 1);
    assert_eq!(servers[1].request("HEAD", &link).send().status(), 200);
    let statuses: Vec<_> = servers.iter().map(|server| server.get(&link).send()).collect();
    assert_eq!(statuses.iter().map(TestResponse::status).collect::<Vec<_>>(), [307, 410], "a link for one download");
    let redirect = &statuses[0];
    assert_eq!(redirect.header("Cache-Control"), Some("no-store"));
    assert_eq!(redirect.header("Referrer-Policy"), Some("no-referrer"));
    let target = redirect.header("Location").unwrap();
    assert!(target.contains("X-Amz-Signature=") && target.contains("X-Amz-Expires=60"), "{target}");
    assert!(target.contains("response-content-type=application%2Foctet-stream"), "{target}");
    assert!(target.contains("response-content-disposition=attachment%3B"), "{target}");
    let mut file = ureq::get(target).call().unwrap();
    // moto ignores the fields in the query.
    if file.headers()["Content-Type"] != "binary/octet-stream" {
        assert_eq!(file.headers()["Content-Type"], "application/octet-stream");
        let disposition = file.headers()["Content-Disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment") && disposition.contains("%20%C3%A9.bin"), "{disposition}");
    }
    assert!(file.body_mut().read_to_vec().unwrap() == content(30_000));

    let link = create_link(&servers[0], 10, 0);
    for server in &servers {
        assert_eq!(server.get(&link).send().status(), 307);
    }
    assert_eq!(servers[0].get(&format!("{link}0")).send().status(), 403);
}

#[test]
fn all_bytes_of_the_header_fields_of_a_link_are_stored() {
    let Some(url) = new_url() else { return };
    let links = rulebook_s3::open_url(&url).unwrap().links().unwrap();
    let head: Vec<u8> = (0..=255).collect();
    let mut writer = links.create(NewLink::new([7; 16], head.clone(), None)).unwrap();
    writer.write(b"content").unwrap();
    let id = writer.finish(60).unwrap();
    assert_eq!(links.open(&id).unwrap().unwrap().head, head);
}
