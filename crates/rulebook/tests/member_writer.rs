//! Tests that the members of responses are valid JSON.

use rulebook::envelope::{JsonMemberWriter, MemberWriter};

#[test]
fn special_characters_are_escaped_at_every_position() {
    for length in [1_usize, 15, 16, 17, 40] {
        for (position, byte) in (0..length).flat_map(|position| (0..128).map(move |byte: u8| (position, byte))) {
            let mut text = "x".repeat(length);
            text.replace_range(position..=position, &char::from(byte).to_string());
            let mut members = JsonMemberWriter::new();
            members.member("a", text.as_str().into()).expect("the object has no other member");
            let expected = serde_json::json!({ "a": text }).to_string();
            assert_eq!(String::from_utf8_lossy(&members.finish()), expected);
        }
    }
}
