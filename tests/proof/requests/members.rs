//! Objects in the query that are sent with a field for each member.

use rulebook::types::Value;

use super::super::boundary;
use super::super::schema_texts::{SchemaCheck, Validity, member_fields};
use super::{MAX_TRIES, RequestBuilder, may_be_beyond_schemas, validity_of_omission};

impl RequestBuilder<'_> {
    /// Generates the texts of an object that is sent with a field for each member; `None` if no field is sent.
    pub(super) fn member_texts(
        &mut self,
        check: &SchemaCheck,
        boundary_values: &[Value<'static>],
        is_required: bool,
    ) -> Option<Vec<String>> {
        let mut found = None;
        for _ in 0..MAX_TRIES + 4 {
            let value = boundary::random_value(&check.schema, boundary_values, self.choices);
            let Some(fields) = member_fields(&value).filter(|fields| !fields.is_empty()) else { continue };
            let is_valid = check.is_valid(&value) && !may_be_beyond_schemas(&value);
            found = Some((fields, is_valid));
            if is_valid || !self.prefer_valid {
                break;
            }
        }
        let Some((fields, is_valid)) = found else {
            self.add_validity(validity_of_omission(is_required));
            return None;
        };
        self.add_validity(if is_valid { Validity::Valid } else { Validity::Unknown });
        let texts;
        (self.suffixes, texts) = fields.into_iter().unzip();
        Some(texts)
    }
}
