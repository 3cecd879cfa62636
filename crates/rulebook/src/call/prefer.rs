//! Parses the header field `Prefer`, with which a client selects one of several responses (RFC 7240).

use http::HeaderValue;

use super::quoted_string::{format_word, parse_word, split_outside_of_quotes};

/// Returns the value of a preference in the fields `Prefer` of a request (RFC 7240 section 2). The case of `name` is
/// ignored. If the preference occurs several times, the first one counts. A preference without a value has an empty
/// one. Returns `None` if the request does not have the preference, or its value is not a word in UTF-8.
pub(crate) fn preferred_value<'h>(fields: impl Iterator<Item = &'h HeaderValue>, name: &str) -> Option<String> {
    for field in fields {
        for preference in split_outside_of_quotes(field.as_bytes(), b',') {
            // The parameters after `;` are those of another specification.
            let main = split_outside_of_quotes(preference, b';').first().map_or(&b""[..], |main| main.trim_ascii());
            let equals = main.iter().position(|byte| *byte == b'=');
            let (key, word) = equals.map_or((main, &b""[..]), |at| (&main[..at], &main[at + 1..]));
            if key.trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
                return String::from_utf8(parse_word(word.trim_ascii())?).ok();
            }
        }
    }
    None
}

/// Returns the value of the header field `Preference-Applied` for a preference that was applied (RFC 7240 section 3).
/// Returns `None` if the value contains characters that no header field has.
pub(crate) fn applied_preference(name: &str, value: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(format!("{name}={}", format_word(value)).as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(fields: &[&str], name: &str) -> Option<String> {
        let fields: Vec<_> = fields.iter().map(|field| HeaderValue::from_bytes(field.as_bytes()).unwrap()).collect();
        preferred_value(fields.iter(), name)
    }

    #[test]
    fn the_first_preference_with_the_name_counts() {
        for (fields, expected) in [
            (&["example=a"][..], Some("a")),
            (&["EXAMPLE=a"], Some("a")),
            (&["example = a"], Some("a")),
            (&["\texample=a\t, wait=5"], Some("a")),
            (&["example=\"a b\""], Some("a b")),
            (&["example=\"a, example=b\""], Some("a, example=b")),
            (&["example=\"a;b\"; c=d"], Some("a;b")),
            (&[r#"example="a\"b\\""#], Some("a\"b\\")),
            (&["example=\"größe\""], Some("größe")),
            (&["example=größe"], Some("größe")),
            (&["wait=5", "example=b"], Some("b")),
            (&["wait=5, respond-async", "", "foo; example=a, example=b, example=c"], Some("b")),
            (&["other=\"example=a\", example=b"], Some("b")),
            (&["example=a=b"], Some("a=b")),
            (&["example"], Some("")),
            (&["example="], Some("")),
            (&["example=\"\""], Some("")),
            (&["example, example=a"], Some("")),
            (&[",,;,=,example=a"], Some("a")),
            (&[][..], None),
            (&[""], None),
            (&["examples=a, an-example=b"], None),
            (&["foo; example=a"], None),
            (&["example=\"a"], None),
            (&["example=\"a\"b"], None),
            (&["example=a\"b\""], None),
            (&["foo=\"a, example=b"], None),
        ] {
            assert_eq!(preferred(fields, "example").as_deref(), expected, "{fields:?}");
        }
        let latin1 = HeaderValue::from_bytes(b"example=gr\xf6\xdfe").unwrap();
        assert_eq!(preferred_value([&latin1].into_iter(), "example"), None);
    }

    #[test]
    fn an_applied_preference_is_parsed_as_the_same_preference() {
        for (value, field) in [
            ("empty", Some("example=empty")),
            ("404", Some("example=404")),
            ("", Some("example=\"\"")),
            ("two notes", Some("example=\"two notes\"")),
            ("a,b;c", Some("example=\"a,b;c\"")),
            (r#"a"b\c"#, Some(r#"example="a\"b\\c""#)),
            ("größe", Some("example=\"größe\"")),
            ("a\nb", None),
        ] {
            let applied = applied_preference("example", value);
            assert_eq!(applied.as_ref().map(HeaderValue::as_bytes), field.map(str::as_bytes), "{value}");
            if let Some(applied) = applied {
                assert_eq!(preferred_value([&applied].into_iter(), "example").as_deref(), Some(value));
            }
        }
    }
}
