//! Counts the fields of a compressed head (RFC 7541 section 6) without decompressing them.

/// Counts the fields of a head whose bytes arrive in pieces.
#[derive(Default)]
pub(super) struct FieldCounter {
    count: u64,
    state: State,
    /// The number of texts that the current field still has: its name, its value, or both.
    texts: u8,
}

#[derive(Default)]
enum State {
    /// The first byte of a field.
    #[default]
    Field,
    /// The rest of an index that is longer than the first byte (RFC 7541 section 5.1).
    Index,
    /// The first byte of the length of a text (RFC 7541 section 5.2).
    TextLen,
    /// The rest of the length of a text: its value until now, and the number of bits that it has.
    LongTextLen { len: u64, bits: u32 },
    /// A text, of which this number of bytes is missing.
    Text(u64),
}

impl FieldCounter {
    /// Adds bytes of the head. Returns the number of fields that have begun. A change of the size of the table counts
    /// as a field.
    pub(super) fn add(&mut self, mut bytes: &[u8]) -> u64 {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.state {
                State::Field => {
                    self.count += 1;
                    self.begin_field(byte);
                }
                State::Index if byte & 0x80 == 0 => self.state = self.next_text(),
                State::Index => {}
                State::TextLen if byte & 0x7f == 0x7f => self.state = State::LongTextLen { len: 0x7f, bits: 0 },
                State::TextLen => self.begin_text(u64::from(byte & 0x7f)),
                State::LongTextLen { len, bits } => {
                    // A length of more than 63 bits is an error, which `h2` reports.
                    let len = len.saturating_add(u64::from(byte & 0x7f) << bits.min(56));
                    if byte & 0x80 == 0 {
                        self.begin_text(len);
                    } else {
                        self.state = State::LongTextLen { len, bits: bits + 7 };
                    }
                }
                State::Text(missing) => {
                    let used = missing.min(bytes.len() as u64);
                    self.state = State::Text(missing - used);
                    if missing == used {
                        self.end_text();
                    }
                    bytes = &bytes[used as usize..];
                    continue;
                }
            }
            bytes = rest;
        }
        self.count
    }

    /// Returns the number of fields that have begun.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    fn begin_field(&mut self, byte: u8) {
        // The bits of the first byte that hold the index, and `true` if a value follows.
        let (index_bits, has_value) = match byte {
            0x80.. => (0x7f, false),
            0x40.. => (0x3f, true),
            // The size of the table.
            0x20.. => (0x1f, false),
            _ => (0x0f, true),
        };
        let index = byte & index_bits;
        self.texts = u8::from(has_value) + u8::from(has_value && index == 0);
        self.state = if index == index_bits { State::Index } else { self.next_text() };
    }

    fn begin_text(&mut self, len: u64) {
        self.state = State::Text(len);
        if len == 0 {
            self.end_text();
        }
    }

    fn end_text(&mut self) {
        self.texts -= 1;
        self.state = self.next_text();
    }

    fn next_text(&self) -> State {
        if self.texts == 0 { State::Field } else { State::TextLen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_all_representations_are_counted() {
        let long_text = |len: usize| {
            // 0x7f means that the length is continued; `len` is at most 127 + 127 * 128.
            let rest = len - 127;
            let head = if rest < 128 { vec![rest as u8] } else { vec![(rest % 128) as u8 | 0x80, (rest / 128) as u8] };
            [&[0x7f][..], &head, &vec![0x90; len]].concat()
        };
        let table: [(&str, Vec<u8>, u64); 9] = [
            ("an indexed field", vec![0x82], 1),
            ("an indexed field with a long index", vec![0xff, 0x80, 0x01], 1),
            ("a new field that is added to the table", [&[0x40, 1, b'a', 2][..], b"bc"].concat(), 1),
            ("an indexed name with a value", [&[0x44, 3][..], b"abc"].concat(), 1),
            ("a long index of a name, and an empty value", vec![0x7f, 0x81, 0x01, 0], 1),
            ("a field that is never added", [&[0x10, 1, b'a', 0x81][..], &[0x90]].concat(), 1),
            ("a change of the table size", vec![0x3f, 0xe1, 0x1f], 1),
            ("texts with long lengths", [&[0x00][..], &long_text(127), &long_text(300)].concat(), 1),
            ("a name and a value without bytes", vec![0x00, 0, 0], 1),
        ];
        for (name, bytes, expected) in &table {
            let twice = bytes.repeat(2);
            for length in [1, 2, 3, twice.len()] {
                let mut counter = FieldCounter::default();
                let count = twice.chunks(length).map(|piece| counter.add(piece)).last();
                assert_eq!(count, Some(2 * expected), "{name} in pieces of {length}");
            }
        }
    }

    #[test]
    fn lengths_without_end_are_no_fields() {
        let mut counter = FieldCounter::default();
        counter.add(&[0x00, 0x7f]);
        assert_eq!(counter.add(&[0xff; 1000]), 1);
    }
}
