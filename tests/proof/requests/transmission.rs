//! The texts that the parts of a request can carry.

/// Returns whether this part of a request can carry the texts, and whether they arrive unchanged.
pub(super) fn transmission(location: &str, texts: &[String]) -> (bool, bool) {
    let all = |test: fn(&String) -> bool| texts.iter().all(test);
    match location {
        // A segment of a path cannot be empty.
        "path" => (texts.len() == 1 && all(|text| !text.is_empty()), true),
        "header" => {
            let is_plain = |text: &String| text.trim() == text && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            let is_allowed = |text: &String| !text.bytes().any(|byte| byte < 0x20 || byte == 0x7f);
            (texts.len() < 2 && all(is_allowed), all(is_plain))
        }
        "cookie" => {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
            (texts.len() < 2 && texts.iter().all(|text| text.bytes().all(is_plain)), true)
        }
        _ => (true, true),
    }
}
