//! Writes the members of a response as JSON text, without an intermediate JSON value.

use super::{MemberWriter, WriteError};
use crate::call::{Encode, Value};

/// Writes the members of a response as one JSON object. The outputs are serialized directly into the text, so that no
/// value is serialized twice.
#[derive(Debug)]
pub struct JsonMemberWriter {
    /// The JSON text that has been written.
    body: Vec<u8>,
    /// `true` if the outputs were written as the whole body with [`MemberWriter::whole`].
    outputs_are_body: bool,
}

impl Default for JsonMemberWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonMemberWriter {
    /// Creates a writer whose object has no members.
    #[must_use]
    pub fn new() -> Self {
        Self::in_memory(Vec::new())
    }

    /// Creates a writer whose object has no members. The JSON text is written to `memory`, whose content is discarded.
    #[must_use]
    pub fn in_memory(mut memory: Vec<u8>) -> Self {
        memory.clear();
        memory.reserve(256);
        Self { body: memory, outputs_are_body: false }
    }

    /// Closes the object and returns the JSON text.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if !self.outputs_are_body {
            if self.body.is_empty() {
                self.body.push(b'{');
            }
            self.body.push(b'}');
        }
        self.body
    }

    /// Writes the separator before a member, and the name of the member.
    fn write_member_name(&mut self, name: &str) -> Result<(), WriteError> {
        if self.outputs_are_body {
            return Err(WriteError::NotAlone);
        }
        self.body.push(if self.body.is_empty() { b'{' } else { b',' });
        self.write_text(name)?;
        self.body.push(b':');
        Ok(())
    }

    /// Writes a JSON string. Most names and messages contain no character that has to be escaped, and are copied.
    fn write_text(&mut self, text: &str) -> Result<(), WriteError> {
        if must_be_escaped(text.as_bytes()) {
            return Ok(serde_json::to_writer(&mut self.body, text)?);
        }
        self.body.push(b'"');
        self.body.extend_from_slice(text.as_bytes());
        self.body.push(b'"');
        Ok(())
    }
}

/// Returns `true` if a JSON string cannot contain a byte as it is (RFC 8259 section 7).
const fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// For each byte, the result of [`is_special`].
const SPECIAL_BYTES: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0);
    while byte < table.len() {
        table[byte] = is_special(byte as u8);
        byte += 1;
    }
    table
};

/// Returns `true` if a JSON string cannot contain the bytes of a text as they are.
fn must_be_escaped(text: &[u8]) -> bool {
    // Without an early end within a chunk, the compiler checks all of its bytes at once.
    let (chunks, rest) = text.as_chunks::<16>();
    chunks.iter().any(|chunk| chunk.iter().fold(false, |found, byte| found | is_special(*byte)))
        || rest.iter().any(|byte| SPECIAL_BYTES[usize::from(*byte)])
}

impl MemberWriter for JsonMemberWriter {
    fn member(&mut self, name: &str, value: Value<'_>) -> Result<(), WriteError> {
        self.write_member_name(name)?;
        match value {
            Value::Text(text) => self.write_text(&text),
            value => Ok(serde_json::to_writer(&mut self.body, &value)?),
        }
    }

    fn nested(&mut self, name: &str, outputs: &dyn Encode) -> Result<(), WriteError> {
        self.write_member_name(name)?;
        outputs.write_json(&mut self.body)?;
        Ok(())
    }

    fn object(&mut self, name: &str, outputs: &dyn Encode, empty: Value<'_>) -> Result<(), WriteError> {
        self.write_member_name(name)?;
        let start = self.body.len();
        outputs.write_json(&mut self.body)?;
        match &self.body[start..] {
            b"null" | b"{}" => {
                self.body.truncate(start);
                serde_json::to_writer(&mut self.body, &empty)?;
                Ok(())
            }
            [b'{', ..] => Ok(()),
            _ => Err(WriteError::NotAnObject),
        }
    }

    fn spread(&mut self, outputs: &dyn Encode) -> Result<(), WriteError> {
        if self.outputs_are_body {
            return Err(WriteError::NotAlone);
        }
        let start = self.body.len();
        outputs.write_json(&mut self.body)?;
        match &self.body[start..] {
            b"null" => self.body.truncate(start),
            [b'{', inside @ .., b'}'] if inside.trim_ascii().is_empty() => self.body.truncate(start),
            [b'{', ..] => {
                if start > 0 {
                    self.body[start] = b',';
                }
                // The closing brace is removed, so that further members can follow. `finish` writes it again.
                self.body.pop();
            }
            _ => return Err(WriteError::NotAnObject),
        }
        Ok(())
    }

    fn whole(&mut self, outputs: &dyn Encode) -> Result<(), WriteError> {
        if self.outputs_are_body || !self.body.is_empty() {
            return Err(WriteError::NotAlone);
        }
        self.outputs_are_body = true;
        outputs.write_json(&mut self.body)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped_at_every_position() {
        for length in [1_usize, 15, 16, 17, 40] {
            for (position, byte) in (0..length).flat_map(|position| (0..128).map(move |byte: u8| (position, byte))) {
                let mut text = "x".repeat(length);
                text.replace_range(position..=position, &char::from(byte).to_string());
                let mut members = JsonMemberWriter::new();
                members.member("a", Value::Text(text.as_str().into())).expect("the object has no other member");
                let expected = serde_json::json!({ "a": text }).to_string();
                assert_eq!(String::from_utf8_lossy(&members.finish()), expected);
            }
        }
    }
}
