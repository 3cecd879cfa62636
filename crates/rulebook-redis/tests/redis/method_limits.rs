//! Limits of methods on one server.

use rulebook_test::{Client, TestResponse};

use super::server::{api, wait_for_new_hour};

const DEFINITION: &str = r#"{
    "rate_limit": { "requests": 5, "per": "day", "by": "all" },
    "/": {
        "address": { "GET": { "info": "By address", "options": {
            "rate_limit": { "requests": 3, "per": "day", "by": "address" } } } },
        "caller": { "GET": { "info": "By caller", "options": { "rate_limit": { "requests": 2, "per": "day" } } } },
        "both": { "POST": { "info": "Two limits", "in": { "x": { "info": "X", "type": "int" } }, "options": { "rate_limit": [
            { "requests": 10, "per": "day", "by": "address" }, { "requests": 4, "per": "hour", "by": "all" }
        ], "cost": 2 } } },
        "one": { "GET": { "info": "The limit of the module" } },
        "two": { "GET": { "info": "The limit of the module", "options": { "cost": 3 } } },
        "free": { "GET": { "info": "Free", "options": { "rate_limit": [] } } }
    }
}"#;

fn client() -> Client {
    wait_for_new_hour();
    Client::new(api(DEFINITION)).unwrap()
}

fn quota(response: &TestResponse) -> (u16, Option<&str>, Option<String>) {
    // The seconds until the end of the period depend on the time.
    let remaining = response.header("ratelimit").map(|field| {
        let items = field.split(", ").map(|item| item.split(";t=").next().unwrap());
        items.collect::<Vec<_>>().join(", ")
    });
    (response.status(), response.header("ratelimit-policy"), remaining)
}

#[test]
fn requests_over_the_limit_of_a_method_are_refused() {
    let client = client();
    let policy = Some("\"address-day\";q=3;w=86400");
    for (status, remaining) in [(200, 2), (200, 1), (200, 0), (429, 0)] {
        let response = client.get("/address").send();
        assert_eq!(quota(&response), (status, policy, Some(format!("\"address-day\";r={remaining}"))));
    }
    let refused = client.get("/address").send();
    let retry: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&retry), "{retry}");
    assert_eq!(quota(&client.get("/free").send()), (200, None, None), "a method without limits");
}

#[test]
fn callers_are_counted_by_name_and_anonymous_callers_by_address() {
    let client = client();
    for caller in [None, Some("ada"), Some("bo")] {
        for status in [200, 200, 429] {
            let request = client.get("/caller");
            let request = match caller {
                Some(name) => request.identity(name, ["reader"]),
                None => request,
            };
            assert_eq!(request.send().status(), status, "{caller:?}");
        }
    }
}

#[test]
fn methods_share_the_limit_of_their_module_and_count_their_cost() {
    let client = client();
    let remaining = |path: &str| quota(&client.get(path).send()).2.unwrap();
    assert_eq!(remaining("/one"), "\"all-day\";r=4");
    assert_eq!(remaining("/two"), "\"all-day\";r=1");
    let refused = client.get("/two").send();
    assert_eq!(refused.status(), 429, "a call counts as three requests, but one remains");
    assert_eq!(client.get("/one").send().status(), 200);
    assert_eq!(client.get("/one").send().status(), 429);
}

#[test]
fn a_request_that_one_limit_refuses_is_not_counted_for_the_others() {
    let client = client();
    let send = || client.post("/both").form([("x", "1")]).send();
    for remaining in ["\"address-day\";r=8, \"all-hour\";r=2", "\"address-day\";r=6, \"all-hour\";r=0"] {
        let policy = Some("\"address-day\";q=10;w=86400, \"all-hour\";q=4;w=3600");
        assert_eq!(quota(&send()), (200, policy, Some(remaining.to_owned())));
    }
    for _ in 0..9 {
        let refused = send();
        let (status, _, remaining) = quota(&refused);
        assert_eq!((status, remaining.unwrap().as_str()), (429, "\"address-day\";r=6, \"all-hour\";r=0"));
    }
}

#[test]
fn requests_are_counted_before_their_body_is_read() {
    let client = client();
    let send = |x: &str| client.post("/both").form([("x", x)]).send().status();
    assert_eq!([send("?"), send("?"), send("?")], [400, 400, 429]);
}

#[test]
fn a_new_period_begins_after_the_time_in_retry_after() {
    let client = Client::new(api(
        r#"{ "GET": { "info": "Limited", "options": { "rate_limit": { "requests": 1, "per": "second", "by": "all" } } } }"#,
    ))
    .unwrap();
    // Two of the requests are sent in the same second.
    let refused = (0..100).map(|_| client.get("/").send()).find(|response| response.status() == 429).unwrap();
    assert_eq!(refused.header("retry-after"), Some("1"));
    std::thread::sleep(std::time::Duration::from_millis(1050));
    assert_eq!(client.get("/").send().status(), 200);
}

#[test]
fn only_a_limited_number_of_callers_is_remembered() {
    let client = client();
    let call = |number: u32| client.get("/caller").identity(&format!("caller {number}"), ["reader"]).send().status();
    for number in 0..1000 {
        assert_eq!([call(number), call(number)], [200, 200]);
    }
    // The setting `callers` is 64. A caller that has been forgotten can call again.
    let remembered = (0..1000).filter(|number| call(*number) == 429).count();
    assert!(remembered <= 64, "{remembered} callers");
}
