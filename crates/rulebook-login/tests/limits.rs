//! The limits of logins and of other actions of a client address.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rulebook::http::{Method, Uri};
use rulebook::{Args, Context, Head, Module, Rulebook};
use rulebook_login::{Attempt, ClientRate, FailedLogins, client_network};
use rulebook_test::Client;

/// The maximum number of failed logins from one address within [`WINDOW`].
const MAX_PER_ADDRESS: usize = 10;
/// The maximum number of failed logins from one address with the same login name within [`WINDOW`].
const MAX_PER_LOGIN_NAME: usize = 5;
/// The time after which a failed login is forgotten.
const WINDOW: Duration = Duration::from_secs(60);

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const OTHER_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn new_table() -> (Arc<FailedLogins>, Instant) {
    (Arc::new(FailedLogins::new()), Instant::now())
}

#[test]
fn failures_with_one_login_name_are_limited_for_each_address() {
    let (table, start) = new_table();
    let begin = |address, login, seconds| table.begin(address, login, start + Duration::from_secs(seconds));
    for second in 0..MAX_PER_LOGIN_NAME as u64 {
        assert!(begin(ADDRESS, "ada", second).is_ok(), "{second}");
    }
    assert_eq!(begin(ADDRESS, "ada", 10).err(), Some(WINDOW - Duration::from_secs(10)));
    assert!(begin(ADDRESS, "jules", 10).is_ok(), "another login name");
    assert!(begin(OTHER_ADDRESS, "ada", 10).is_ok(), "another address");
    assert!(begin(ADDRESS, "ada", 60).is_ok(), "the first failure is forgotten");
    assert_eq!(begin(ADDRESS, "ada", 60).err(), Some(Duration::from_secs(1)), "the second one is not");
}

#[test]
fn failures_of_an_address_are_limited_for_all_login_names_together() {
    let (table, start) = new_table();
    for number in 0..MAX_PER_ADDRESS {
        assert!(table.begin(ADDRESS, &format!("user{number}"), start).is_ok(), "{number}");
    }
    assert_eq!(table.begin(ADDRESS, "another", start).err(), Some(WINDOW));
    assert!(table.begin(ADDRESS, "another", start + WINDOW - Duration::from_nanos(1)).is_err());
    assert!(table.begin(ADDRESS, "another", start + WINDOW).is_ok());
}

#[test]
fn successes_and_unchecked_logins_do_not_count() {
    let (table, start) = new_table();
    for _ in 0..3 * MAX_PER_ADDRESS {
        table.begin(ADDRESS, "ada", start).unwrap().succeed();
        table.begin(ADDRESS, "ada", start).unwrap().do_not_count();
    }
    let failed = |login| table.begin(ADDRESS, login, start).unwrap();
    let _: Vec<Attempt> = (1..MAX_PER_LOGIN_NAME).map(|_| failed("ada")).collect();
    let _: Vec<Attempt> = (1..MAX_PER_LOGIN_NAME).map(|_| failed("jules")).collect();
    failed("ada").succeed();
    for number in 0..MAX_PER_LOGIN_NAME {
        assert!(table.begin(ADDRESS, "ada", start).is_ok(), "{number} failures after the success");
    }
    assert!(table.begin(ADDRESS, "ada", start).is_err());
    assert!(table.begin(ADDRESS, "jules", start).is_ok(), "the success with another login name changes nothing");
    assert!(table.begin(ADDRESS, "grace", start).is_err(), "{MAX_PER_ADDRESS} failures of the address");
}

#[test]
fn a_client_with_ipv6_is_limited_by_its_network() {
    let network = |address: &str| {
        let mut head = Head::new(Method::POST, Uri::from_static("/user/login"));
        head.client = Some(address.parse().unwrap());
        client_network(&head).to_string()
    };
    assert_eq!(network("192.0.2.1"), "192.0.2.1");
    assert_eq!(network("2001:db8:1:2:a:b:c:d"), "2001:db8:1:2::");
}

/// Returns a client of a method that each client can call `burst` times at once, and then once in each interval.
fn client_of_limited_action(burst: u32, interval: Duration) -> Client {
    let definition = r#"{ "/": { "action": { "POST": {
        "info": "Does it",
        "errors": { "too_many": { "status": 429, "info": "there are too many actions" } }
    } } } }"#;
    let rate = Arc::new(ClientRate::new(burst, interval));
    let act = move |Args(()): Args<()>, context: Context| {
        let counted = rate.count(&context, "too_many");
        async move { counted }
    };
    let rulebook = Rulebook::read(vec![("actions.json".into(), definition.into())]);
    Client::new(rulebook.module(Module::new("actions").post("/action", act))).unwrap()
}

#[test]
fn a_client_has_a_number_of_actions_at_once() {
    let client = client_of_limited_action(2, Duration::from_secs(3600));
    let send = || client.post("/action").send();
    assert_eq!([send().status(), send().status()], [200, 200]);
    let refused = send();
    assert_eq!((refused.status(), refused.code()), (429, Some("too_many")));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3000..=3600).contains(&wait), "{wait}");
}

#[test]
fn a_client_has_one_more_action_after_each_interval() {
    let client = client_of_limited_action(1, Duration::from_millis(300));
    let started = Instant::now();
    let mut statuses = Vec::new();
    // Rejected actions do not count: otherwise a client that tries without a pause would wait for ever.
    while statuses.iter().filter(|status| **status == 200).count() < 3 {
        assert!(started.elapsed() < Duration::from_secs(60), "{statuses:?}");
        statuses.push(client.post("/action").send().status());
    }
    assert!(started.elapsed() >= Duration::from_millis(600), "{statuses:?}");
}
