//! Tests of the credentials that an authenticator remembers.

use rulebook::auth_kind::VerifiedCredentials;

/// The number of credentials that a thread remembers.
const MAX_REMEMBERED: usize = 1024;

#[test]
fn a_credential_is_remembered_by_its_whole_text_and_only_in_one_memory() {
    let (one, other) = (VerifiedCredentials::new(), VerifiedCredentials::<u8>::new());
    one.remember("token 1", 7);
    assert_eq!(one.recall("token 1", |value| *value), Some(7));
    assert_eq!(one.recall("token 2", |value| *value), None);
    assert_eq!(other.recall("token 1", |value| *value), None);
    std::thread::scope(|scope| scope.spawn(|| assert!(one.recall("token 1", |_| ()).is_none())).join().unwrap());
}

#[test]
fn the_memory_is_bounded() {
    let memory = VerifiedCredentials::new();
    for number in 0..=MAX_REMEMBERED {
        memory.remember(&number.to_string(), number);
    }
    let kept = (0..=MAX_REMEMBERED).filter(|number| memory.recall(&number.to_string(), |_| ()).is_some());
    assert_eq!(kept.collect::<Vec<_>>(), [MAX_REMEMBERED]);
}
