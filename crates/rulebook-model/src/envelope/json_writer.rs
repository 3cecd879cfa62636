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
        // Without an end at the first other byte, many bytes are compared at once.
        let is_plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
        if name.bytes().fold(true, |all, byte| all & is_plain(byte)) {
            // Such a name needs no escape sequences.
            self.body.push(b'"');
            self.body.extend_from_slice(name.as_bytes());
            self.body.push(b'"');
        } else {
            serde_json::to_writer(&mut self.body, name)?;
        }
        self.body.push(b':');
        Ok(())
    }
}

impl MemberWriter for JsonMemberWriter {
    fn member(&mut self, name: &str, value: Value<'_>) -> Result<(), WriteError> {
        self.write_member_name(name)?;
        Ok(serde_json::to_writer(&mut self.body, &value)?)
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
