//! Downloads of rows.

use futures_util::StreamExt;
use rulebook::Content;
use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database, method, of_type};

const ROWS: usize = 100_000;

fn numbers(database: &TestDatabase, columns: &str) -> String {
    let source = database.pick([
        "with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000) select COLUMNS from c",
        "select COLUMNS from generate_series(1, 100000) as c(n)",
        "select COLUMNS from (select seq as n from seq_1_to_100000) c",
    ]);
    source.replace("COLUMNS", columns)
}

fn download(input: Json, handler: Json) -> Json {
    let mut method = method(input, json!({}), handler);
    method["GET"]["options"] = json!({ "download": true });
    method
}

fn api(database: &TestDatabase) -> TestApi {
    let csv =
        "select n, case when n = 2 then null else 'a,\"b\"' end as t from (select 1 as n union select 2) c order by n";
    database.api_with(json!({ "pool": 1, "max_rows": 10 }), json!({
        "lines": download(json!({}), json!({ "sql": numbers(database, "n, 'x' as t") })),
        "csv": download(json!({}), json!({ "sql": csv, "format": "csv" })),
        "long": download(json!({}), json!({
            "sql": format!("{} where n <= 20000", numbers(database, &format!("n, '{}' as t", "x".repeat(200))))
        })),
        "wide": download(json!({}), json!({ "sql": numbers(database, &format!("n, '{}' as t", "x".repeat(2000))) })),
        "none": download(json!({}), json!({ "sql": "select id from note", "missing": "missing" })),
        "empty": download(json!({}), json!({ "sql": "select id from note", "format": "csv" })),
        "late": download(json!({}), json!({ "sql": database.pick([
            "select json_extract('[' || (case when n > 3000 then 'x' else '1' end) || ']', '$[0]') as v from \
             (with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000) select n from c)",
            "select 1 / (50000 - n) as v from generate_series(1, 100000) as c(n)",
            "select 1 as v from seq_1_to_100000",
        ]) })),
        "fast": method(json!({}), json!({ "n": of_type("int") }), json!({ "sql": "select 1 as n" })),
    }))
}

/// Returns the content of a download, or the status of the error.
pub fn content(api: &TestApi, name: &str) -> Result<Vec<u8>, u16> {
    let response = api.call(name, json!({}));
    let status = response.status();
    let Some(download) = response.into_download() else { return Err(status) };
    let Content::Stream(mut stream) = download.into_content() else { panic!("the download is not a stream") };
    Ok(api.runtime.block_on(async {
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        bytes
    }))
}

#[test]
fn rows_are_lines_of_json() {
    for_each_database(|database| {
        let api = api(database);
        let text = String::from_utf8(content(&api, "lines.get").unwrap()).unwrap();
        let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), ROWS);
        assert_eq!((&lines[0], &lines[ROWS - 1]), (&json!({ "n": 1, "t": "x" }), &json!({ "n": ROWS, "t": "x" })));
        // The only connection is free again.
        api.outputs("fast.get", json!({}));
    });
}

#[test]
fn rows_are_lines_of_csv() {
    for_each_database(|database| {
        let api = api(database);
        let text = String::from_utf8(content(&api, "csv.get").unwrap()).unwrap();
        assert_eq!(text, "n,t\r\n1,\"a,\"\"b\"\"\"\r\n2,\r\n");
        assert_eq!(content(&api, "empty.get").unwrap(), b"id\r\n");
    });
}

#[test]
fn a_download_without_rows_can_be_a_declared_error() {
    for_each_database(|database| {
        assert_eq!(content(&api(database), "none.get"), Err(404));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_download_of_200_megabytes_needs_little_memory() {
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "downloads::downloads_200_megabytes", "--ignored"]);
    let output = alone.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "`a_download_of_200_megabytes_needs_little_memory` runs it in a process without other tests"]
fn downloads_200_megabytes() {
    let database = TestDatabase::sqlite();
    let api = api(&database);
    let before = support::memory::resident_bytes(std::process::id());
    let download = api.call("wide.get", json!({})).into_download().unwrap();
    let Content::Stream(mut stream) = download.into_content() else { panic!("the download is not a stream") };
    let mut bytes = 0;
    while let Some(chunk) = api.runtime.block_on(stream.next()) {
        bytes += chunk.unwrap().len();
        assert!(support::memory::resident_bytes(std::process::id()) < before + (128 << 20), "after {bytes} bytes");
    }
    assert!(bytes > ROWS * 2000);
}

#[test]
fn a_client_that_does_not_read_a_download_stops_its_statement() {
    for_each_database(|database| {
        let api = api(database);
        let download = api.call("long.get", json!({})).into_download().unwrap();
        let Content::Stream(mut stream) = download.into_content() else { panic!("the download is not a stream") };
        // The rows do not wait in memory: the only connection is used as long as the client does not read.
        assert_eq!(api.error("fast.get", json!({})).0, 503);
        let mut lines = 0;
        while let Some(chunk) = api.runtime.block_on(stream.next()) {
            lines += chunk.unwrap().iter().filter(|byte| **byte == b'\n').count();
        }
        assert_eq!(lines, 20_000);
        assert_eq!(api.outputs("fast.get", json!({})), json!({ "n": 1 }));
    });
}

#[test]
fn a_client_that_leaves_a_download_frees_the_connection() {
    for_each_database(|database| {
        let api = api(database);
        let download = api.call("wide.get", json!({})).into_download().unwrap();
        let Content::Stream(mut stream) = download.into_content() else { panic!("the download is not a stream") };
        assert!(api.runtime.block_on(stream.next()).unwrap().is_ok());
        drop(stream);
        assert_eq!(api.outputs("fast.get", json!({})), json!({ "n": 1 }));
    });
}

#[test]
fn an_error_in_the_middle_of_a_download_ends_the_stream_with_an_error() {
    for_each_database(|database| {
        if database.kind == Kind::Mariadb {
            return;
        }
        let api = api(database);
        let download = api.call("late.get", json!({})).into_download().unwrap();
        let Content::Stream(mut stream) = download.into_content() else { panic!("the download is not a stream") };
        let mut last = None;
        while let Some(chunk) = api.runtime.block_on(stream.next()) {
            last = Some(chunk.is_ok());
        }
        assert_eq!(last, Some(false));
    });
}
