//! Tests of the header field `traceparent` (W3C Trace Context).

use rulebook::trace::TraceContext;

#[test]
fn traceparent_is_parsed_as_specified() {
    let id = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
    for (text, sampled) in [
        (format!("00-{id}-01"), Some(true)),
        (format!("00-{id}-00"), Some(false)),
        (format!("00-{id}-fe"), Some(false)),
        (format!("01-{id}-01-more"), Some(true)),
        (format!("cc-{id}-01"), Some(true)),
        (format!("00-{id}-01-more"), None),
        (format!("01-{id}-01more"), None),
        (format!("ff-{id}-01"), None),
        (format!("00-{}-01", id.to_uppercase()), None),
        (format!("00-{id}-0"), None),
        (format!("00-{id}-+1"), None),
        (format!("00_{id}-01"), None),
        (format!(" 00-{id}-01"), None),
        (format!("00-{}-{}-01", "0".repeat(32), "1".repeat(16)), None),
        (format!("00-{}-{}-01", "1".repeat(32), "0".repeat(16)), None),
        (format!("00-{}ü", "1".repeat(51)), None),
        (String::new(), None),
    ] {
        assert_eq!(TraceContext::parse(&text).map(|context| context.is_sampled), sampled, "{text}");
    }
}
