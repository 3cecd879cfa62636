//! Tests of the counters in `/metrics`, which has the OpenMetrics format. Requests are counted for each method, never
//! for each path.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use rulebook::Settings;
use tokio::sync::Notify;

use super::{begin_request, shop_engine, shop_engine_with_put};
use crate::client::{Connection, Request, TestServer, wait_until};

/// Requests `/metrics`, and returns the number of every sample. The map keys are the names of the samples with labels.
#[track_caller]
fn read_samples(connection: &mut Connection) -> BTreeMap<String, f64> {
    let response = connection.send(&Request::new("GET", "/metrics"));
    assert_eq!(response.status, 200, "{response:?}");
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(response.field("content-type"), Some(media_type));
    let text = String::from_utf8(response.body).unwrap();
    let text = text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("{text}"));
    let label = r#"[a-z_]+="(?:[^"\\\n]|\\["\\n])*""#;
    let sample = Regex::new(&format!(r"^([a-z_]+(?:\{{{label}(?:,{label})*\}})?) (\S+)$")).unwrap();
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with("# HELP ") && !line.starts_with("# TYPE ")) {
        if line.starts_with("# UNIT ") {
            continue;
        }
        let found = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
        let double = samples.insert(found[1].to_owned(), found[2].parse().unwrap());
        assert_eq!(double, None, "{line}");
    }
    samples
}

fn requests_sample(method: &str, status: &str, code: &str) -> String {
    format!("rulebook_requests_total{{method=\"{method}\",status=\"{status}\",code=\"{code}\"}}")
}

#[test]
fn responses_are_counted_by_method_status_and_code() {
    let server = TestServer::start(&shop_engine());
    let mut connection = server.connect();
    let form = "application/x-www-form-urlencoded";
    let locked = || Request::new("POST", "/shop");
    let expecting = locked().field("expect", "100-continue").field("content-length", 9);
    let kinds = [
        (Request::new("GET", "/shop"), 3, "shop.get", "200", ""),
        (Request::new("GET", "/shop?how=sold"), 2, "shop.get", "410", "failed"),
        (Request::new("GET", "/shop?how=internal"), 1, "shop.get", "500", "internal"),
        (Request::new("PUT", "/shop"), 2, "shop.put", "204", ""),
        (locked().scope(&["buyer"]), 2, "shop.post", "403", "forbidden"),
        (locked().scope(&["seller"]).body(form, "text=x"), 1, "shop.post", "200", ""),
        (Request::new("GET", "/nowhere"), 2, "-unrouted", "404", "unknown-service"),
        (Request::new("DELETE", "/shop"), 1, "-unrouted", "405", "unknown-method"),
        (Request::new("OPTIONS", "/shop"), 2, "-options", "200", ""),
        (Request::new("GET", "/openapi.json"), 1, "-document", "200", ""),
        (Request::new("GET", "/healthz"), 2, "-health", "200", ""),
        (Request::new("POST", "/healthz"), 1, "-health", "405", "unknown-method"),
    ];
    let sold = |name: String| name.replace("code=\"failed\"", "code=\"failed\",error=\"sold\"");
    let mut expected = BTreeMap::from([(requests_sample("shop.post", "401", "unauthenticated"), 1.0)]);
    assert_eq!(server.send(&expecting).status, 401);
    for (request, times, method, status, code) in kinds {
        for _ in 0..times {
            assert_eq!(connection.send(&request).status.to_string(), status, "{request:?}");
        }
        expected.insert(sold(requests_sample(method, status, code)), f64::from(times));
    }
    let samples = read_samples(&mut connection);
    let counted = samples.iter().filter(|(name, _)| name.starts_with("rulebook_requests_total"));
    assert_eq!(counted.map(|(name, count)| (name.clone(), *count)).collect::<BTreeMap<_, _>>(), expected);
    assert_eq!(samples["rulebook_requests_in_flight"], 1.0, "the request for the counters");
    assert_eq!(samples["rulebook_handlers_detached"], 0.0);
    assert_eq!(samples[concat!("rulebook_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")], 1.0);
}

#[test]
fn durations_of_requests_are_counted_in_buckets() {
    let server = TestServer::start(&shop_engine());
    let mut connection = server.connect();
    for _ in 0..7 {
        connection.send(&Request::new("GET", "/shop"));
    }
    let samples = read_samples(&mut connection);
    let buckets: Vec<_> = ["0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "10.0", "+Inf"]
        .iter()
        .map(|bound| {
            samples[&format!("rulebook_request_duration_seconds_bucket{{le=\"{bound}\",method=\"shop.get\"}}")]
        })
        .collect();
    assert!(buckets.is_sorted(), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&7.0));
    assert_eq!(samples["rulebook_request_duration_seconds_count{method=\"shop.get\"}"], 7.0);
    let sum = samples["rulebook_request_duration_seconds_sum{method=\"shop.get\"}"];
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
}

#[test]
fn requests_of_clients_cannot_create_new_time_series() {
    let server = TestServer::start(&shop_engine());
    let mut connection = server.connect();
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW", "X-1"];
    let mut state: u64 = 1;
    for _ in 0..3_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let method = methods[usize::try_from(state >> 60).unwrap() % methods.len()];
        let path = ["", "shop/", "shop?x=", "metrics/", "%", "healthz?"][usize::try_from(state >> 40).unwrap() % 6];
        let method = if state.is_multiple_of(50) { format!("M{state:x}") } else { method.to_owned() };
        connection.send(&Request::new(&method, format!("/{path}zz{state:x}")));
    }
    let samples = read_samples(&mut connection);
    let counted = samples.keys().filter(|name| name.starts_with("rulebook_requests_total"));
    assert!(counted.count() < 40, "{samples:?}");
    assert!(samples.len() < 250, "{}", samples.len());
    assert!(!samples.keys().any(|name| name.contains("zz")), "{samples:?}");
}

#[test]
fn requests_to_all_workers_are_counted_together() {
    let uploads = tempfile::tempdir().unwrap();
    let settings = Settings::new().with_bind(["127.0.0.1:0"; 2]).with_workers(3).with_upload_folder(uploads.path());
    let running = shop_engine().serve(&settings).unwrap();
    for index in 0..60 {
        let mut connection = Connection::open(running.addresses()[index % 2]);
        assert_eq!(connection.send(&Request::new("GET", "/shop")).status, 200);
    }
    let samples = read_samples(&mut Connection::open(running.addresses()[0]));
    assert_eq!(samples[&requests_sample("shop.get", "200", "")], 60.0);
}

#[test]
fn handlers_whose_clients_have_disconnected_are_counted() {
    let (begun, proceed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait_for) = (Arc::clone(&begun), Arc::clone(&proceed));
    let put = move |_| {
        let (tell, wait_for) = (Arc::clone(&tell), Arc::clone(&wait_for));
        async move {
            tell.notify_one();
            wait_for.notified().await;
            Ok(())
        }
    };
    let server = TestServer::start(&shop_engine_with_put(put, |rulebook| rulebook));
    let detached = || read_samples(&mut server.connect())["rulebook_handlers_detached"];
    let connection = begin_request(server.address(), &Request::new("PUT", "/shop"), &begun);
    assert_eq!(read_samples(&mut server.connect())["rulebook_requests_in_flight"], 2.0);
    connection.reset();
    assert!(wait_until(|| detached() == 1.0));
    proceed.notify_one();
    assert!(wait_until(|| detached() == 0.0));
    let samples = read_samples(&mut server.connect());
    assert_eq!(samples["rulebook_requests_in_flight"], 1.0);
    assert_eq!(samples[&requests_sample("shop.put", "-", "-gone")], 1.0);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_is_described_as_prometheus_expects() {
    let server = TestServer::start(&shop_engine());
    let mut connection = server.connect();
    let before = read_samples(&mut connection);
    let value = |name: &str| before[name];
    assert!(value("process_cpu_seconds_total") >= 0.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
    assert!(value("process_open_fds") > 3.0 && value("process_open_fds") < value("process_max_fds"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let age = now - value("process_start_time_seconds");
    assert!((-2.0..3600.0).contains(&age), "{age} seconds");
    let files: Vec<_> = (0..50).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
    let after = read_samples(&mut connection);
    assert!(after["process_open_fds"] >= value("process_open_fds") + 40.0, "{after:?}");
    drop(files);
}

#[test]
fn two_declared_errors_with_the_same_status_are_counted_separately() {
    use rulebook::{ApiError, Args, Context, Module};
    use serde_json::{Value, json};

    #[derive(serde::Deserialize)]
    struct Which {
        which: String,
    }

    async fn fail(Args(Which { which }): Args<Which>, _: Context) -> Result<Value, ApiError> {
        Err(ApiError::declared(which))
    }

    let errors = json!({ "sold": { "status": 409, "info": "Sold" }, "lost": { "status": 409, "info": "Lost" } });
    let parameter = json!({ "GET@which": { "info": "Which error", "type": "string", "name": "which" } });
    let definition = json!({ "/": { "item": { "GET": { "info": "Fails", "in": parameter, "errors": errors } } } });
    let module = Module::new("shop").get("/item", fail);
    let engine = crate::client::engine(&[("shop.json", definition)], |rulebook| rulebook.module(module));
    let server = TestServer::start(&engine);
    let mut connection = server.connect();
    for which in ["sold", "lost", "lost"] {
        assert_eq!(connection.send(&Request::new("GET", format!("/item?which={which}"))).status, 409);
    }
    let samples = read_samples(&mut connection);
    let count = |error: &str| {
        samples[&format!(
            "rulebook_requests_total{{method=\"item.get\",status=\"409\",code=\"failed\",error=\"{error}\"}}"
        )]
    };
    assert_eq!((count("sold"), count("lost")), (1.0, 2.0));
}
