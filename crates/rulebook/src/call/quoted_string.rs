//! Parses the quoted strings in the values of header fields (RFC 9110 section 5.6.4).

/// Splits the value of a header field at the separators outside of quoted strings. If the value contains an unmatched
/// quote, the rest is one element.
pub(crate) fn split_outside_of_quotes(value: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_separator = |byte: &u8| {
        let escapes = is_quoted && *byte == b'\\' && !is_escaped;
        if *byte == b'"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = escapes;
        *byte == separator && !is_quoted
    };
    value.split(is_separator).collect()
}

/// Returns the text of a word, which is a quoted string or a text without quotes. Returns `None` if a quote is not
/// matched.
pub(crate) fn parse_word(word: &[u8]) -> Option<Vec<u8>> {
    let Some(quoted) = word.strip_prefix(b"\"") else {
        return (!word.contains(&b'"')).then(|| word.to_vec());
    };
    let mut text = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return bytes.next().is_none().then_some(text),
            b'\\' => text.push(bytes.next()?),
            _ => text.push(byte),
        }
    }
    None
}

/// Returns a text as a word: unchanged if it is a token (RFC 9110 section 5.6.2), and otherwise as a quoted string.
pub(super) fn format_word(text: &str) -> String {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_token_byte) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
