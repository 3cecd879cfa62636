//! A JSON body, read straight into slots that borrow from it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fields::Seen;
use super::{Raw, Reading, slot};
use crate::call::{JsonLimits, Key, Limit, Reason, Refusal, Source, Unreadable};

/// Reads the members that the method wants. The body must be an object.
///
/// # Errors
/// The body is no JSON or no object, or passes a limit.
pub(super) fn read<'a>(reading: &mut Reading<'a, '_>, bytes: &'a [u8]) -> Result<(), Refusal> {
    // One check of the whole is faster than serde_json's own of each string.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| unreadable(Unreadable::JsonEncoding { byte: error.valid_up_to() }))?;
    // An empty body is no body (RFC 9110 section 6.4).
    if text.trim_ascii().is_empty() {
        return Ok(());
    }
    let plan = reading.plan;
    let limits = JsonLimits::new(plan.limits.nesting, plan.limits.items);
    let mut reader = serde_json::Deserializer::from_str(text);
    let seen = Seen::by_body(reading.method);
    let result = Body { reading, limits: &limits, seen }.deserialize(&mut reader).and_then(|()| reader.end());
    result.map_err(|error| match limits.passed() {
        Some(limit) => Refusal::new(Reason::TooLarge { limit, parameter: None }),
        // The only kind of value that is asked for.
        None if error.is_data() => unreadable(Unreadable::JsonKind),
        None => unreadable(Unreadable::json(&error)),
    })
}

fn unreadable(what: Unreadable) -> Refusal {
    Refusal::new(Reason::Unreadable(what))
}

struct Body<'r, 'a, 'p> {
    reading: &'r mut Reading<'a, 'p>,
    limits: &'r JsonLimits,
    seen: Seen,
}

impl<'a> DeserializeSeed<'a> for Body<'_, 'a, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Body<'_, 'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut access: A) -> Result<(), A::Error> {
        let method = self.reading.method;
        let mut next = 0;
        let mut count = 0;
        while let Some(key) = access.next_key_seed(Key)? {
            count += 1;
            let most = self.reading.plan.limits.fields;
            if count > most {
                return Err(self.limits.refuse(Limit::fields(most)));
            }
            let Some(slot) = slot(method, &method.body, &key, &mut next) else {
                access.next_value::<IgnoredAny>()?;
                self.reading.unknown(&key, Source::Body);
                continue;
            };
            self.seen.first(slot, &mut self.reading.raw);
            let value = access.next_value_seed(self.limits.seed(1))?;
            let raw = &mut self.reading.raw[slot];
            *raw = match raw {
                Raw::Absent => Raw::Json(value),
                _ if self.reading.plan.modules[method.module].last_counts => Raw::Json(value),
                _ => Raw::Repeated,
            };
        }
        Ok(())
    }
}
