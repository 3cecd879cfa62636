//! Tests of the credentials that an authenticator remembers.

use rulebook::auth_kind::VerifiedCredentials;

/// The number of credentials that a thread remembers, and the bytes of their values.
const MAX_REMEMBERED: usize = 1024;
const MAX_REMEMBERED_BYTES: usize = 16 << 20;

#[test]
fn a_credential_is_remembered_by_its_whole_text_and_only_in_one_memory() {
    let (one, other) = (VerifiedCredentials::new(), VerifiedCredentials::<u8>::new());
    one.remember("token 1", 7, 0);
    assert_eq!(one.recall("token 1", |value| *value), Some(7));
    assert_eq!(one.recall("token 2", |value| *value), None);
    assert_eq!(other.recall("token 1", |value| *value), None);
    std::thread::scope(|scope| scope.spawn(|| assert!(one.recall("token 1", |_| ()).is_none())).join().unwrap());
}

#[test]
fn the_memory_is_bounded() {
    let memory = VerifiedCredentials::new();
    for number in 0..=MAX_REMEMBERED {
        memory.remember(&number.to_string(), number, 0);
    }
    let kept = (0..=MAX_REMEMBERED).filter(|number| memory.recall(&number.to_string(), |_| ()).is_some());
    assert_eq!(kept.collect::<Vec<_>>(), [MAX_REMEMBERED]);
}

#[test]
fn the_memory_is_bounded_in_bytes() {
    let memory = VerifiedCredentials::new();
    let kept = |numbers: std::ops::Range<u32>| {
        let is_kept = |number: &u32| memory.recall(&number.to_string(), |_| ()).is_some();
        numbers.filter(is_kept).collect::<Vec<_>>()
    };
    // Without the values themselves, whose sizes count too, three of these would fit.
    let large = MAX_REMEMBERED_BYTES / 3;
    (0..3).for_each(|number| memory.remember(&number.to_string(), number, large));
    assert_eq!(kept(0..3), [2]);
    for _ in 0..3 {
        memory.remember("2", 2, large);
    }
    memory.remember("3", 3, large);
    assert_eq!(kept(0..4), [2, 3], "a value that replaces another one counts once");
    memory.remember("4", 4, MAX_REMEMBERED_BYTES);
    assert_eq!(kept(0..5), [2, 3], "a value that is larger than the memory is not remembered");
}
