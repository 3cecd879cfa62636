//! Converts `oneOf` and `anyOf`. Branches differ in the kinds of JSON values that they accept.

use std::collections::HashSet;

use rulebook_model::definition::keys::is_comment_key;
use serde_json::{Map, Value as Json, json};

use super::{
    Converter, LossKind, Place, Type, is_true, items, members, reference_of, schema_key, text, type_names,
    typed_constants,
};
use crate::openapi::document::Document;

struct Branch<'a> {
    schema: &'a Json,
    place: Place,
    values: Values,
}

impl<'a> Converter<'a> {
    /// Converts a schema with several branches. Returns `None` if the branches only limit the members of the schema,
    /// which is then converted without them.
    pub(super) fn union(&mut self, schema: &'a Json, keyword: &str, place: &Place, hint: &str) -> Option<Type> {
        let document = self.document;
        let branches = schema.get(keyword)?.as_array()?;
        let place = &place.member(keyword);
        let has_members = schema.get("properties").is_some() || schema.get("items").is_some();
        let is_condition = |branch: &Json| {
            let keys = members(Some(branch));
            !keys.is_empty()
                && !["type", "$ref", "oneOf", "anyOf", "allOf", "enum"].iter().any(|key| keys.contains_key(*key))
        };
        if has_members || (!super::type_names(schema).is_empty() && branches.iter().all(is_condition)) {
            return None;
        }
        let different = self.branches(schema, (keyword, branches), place);
        let mut accepted = Values { is_whole: true, ..Values::default() };
        for branch in &different {
            accepted.is_whole &= branch.values.is_whole;
            accepted.kinds.iter_mut().zip(branch.values.kinds).for_each(|(accepts, more)| *accepts |= more);
        }
        let is_nullable = branches.iter().any(|branch| document.is_nullable(branch));
        let accepts_null = |branch: &&Json| document.accepts_null(branch);
        if keyword == "oneOf" && branches.iter().filter(accepts_null).count() > 1 {
            self.losses.widen(LossKind::UNION, place, "null is a value of several branches");
        }
        let has_other_types = |branch: &Branch<'_>| is_nullable || branch.values.kinds != accepted.kinds;
        if keyword == "oneOf" && different.iter().any(|branch| branch.values.is_implied && has_other_types(branch)) {
            let message = "a value of another branch is also one of a branch without `type`";
            self.losses.widen(LossKind::UNION, place, message);
        }
        let converted = match (different.as_slice(), self.tagged_union(schema, &different, place)) {
            (_, Some(tagged)) => tagged,
            ([], None) if is_nullable => Type::new("null"),
            ([], None) => {
                self.losses.widen(LossKind::UNION, place, "there is no branch that says which values are valid");
                Type::new("any")
            }
            ([only], None) => self.convert(only.schema, &only.place, hint),
            (several, None) => self.untagged_union(several, place, hint),
        };
        if converted.term() == "any" && !super::type_names(schema).is_empty() {
            self.losses.widen(LossKind::CONSTRAINT, place, "the branches limit the values of the schema next to them");
            return None;
        }
        document.read_items(schema, keyword);
        self.read_type_of(schema, &accepted);
        Some(Type { is_nullable, ..converted })
    }

    /// Returns the branches of a union, without null and without branches that are equal to others. Branches that lead
    /// back to the schema add nothing to it.
    fn branches(
        &mut self,
        schema: &'a Json,
        (keyword, branches): (&str, &'a [Json]),
        place: &Place,
    ) -> Vec<Branch<'a>> {
        let document = self.document;
        let mut different: Vec<Branch<'a>> = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let place = place.item(index);
            if is_null(branch) {
                document.record(branch);
                if is_true(branch, "nullable") && members(Some(branch)).len() == 1 {
                    // OpenAPI 3.0 has no type for null, so that its descriptions mean null.
                    self.losses.narrow(LossKind::UNION, &place, "the branch is read as null: other values are refused");
                }
                for keyword in ["const", "enum", "nullable", "type"] {
                    document.read_whole(branch, keyword);
                }
            } else if different.iter().any(|known| known.schema == branch) {
                document.record_repeated(branch);
                if keyword == "oneOf" {
                    // A value of one of them is a value of both.
                    self.losses.widen(
                        LossKind::UNION,
                        &place,
                        "the branch is equal to another: its values are accepted",
                    );
                }
            } else if document.leads_to(branch, schema) {
                self.losses.add(LossKind::REFERENCE, &place, "the branch leads back to the schema: it adds nothing");
            } else {
                let values = document.values(branch);
                different.push(Branch { schema: branch, place, values });
            }
        }
        different
    }

    /// Converts a union with a discriminator whose branches are schemas with names.
    fn tagged_union(&mut self, schema: &'a Json, branches: &[Branch<'a>], place: &Place) -> Option<Type> {
        let document = self.document;
        let discriminator = schema.get("discriminator")?;
        let tag = text(discriminator, "propertyName")?;
        let mapping = members(discriminator.get("mapping"));
        let mut of: Map<String, Json> = Map::new();
        let (mut is_always_tagged, mut referenced) = (true, Vec::new());
        for branch in branches {
            let reference = reference_of(branch.schema)?;
            let key = schema_key(reference)?;
            let name = self.names.get(&key)?.clone();
            let parts = self.object_parts(branch.schema, &branch.place).filter(|parts| parts.others.is_empty())?;
            is_always_tagged &= parts.members.iter().any(|member| member.name == tag && member.is_required);
            let is_branch = |target: &Json| target.as_str().is_some_and(|target| target == reference || target == key);
            let mut values: Vec<&str> =
                mapping.iter().filter(|(_, target)| is_branch(target)).map(|(value, _)| value.as_str()).collect();
            if values.is_empty() {
                values.push(&key);
            }
            for value in values {
                // A definition ignores a member whose name begins like a comment, unless its value is an object.
                let term = if is_comment_key(value) { json!({ "type": name }) } else { json!(name) };
                of.insert(value.to_owned(), term);
            }
            referenced.push(name);
        }
        if of.is_empty() {
            return None;
        }
        for branch in branches {
            document.record(branch.schema);
            document.read(branch.schema, "$ref");
        }
        self.referenced.extend(referenced);
        let place = place.parent().member("discriminator");
        self.read_discriminator(discriminator, &of, is_always_tagged, &place);
        document.read(schema, "discriminator");
        Some(Type::new("union").with("tag", tag).with("of", of))
    }

    /// Reads a discriminator whose values are the keys of `of`.
    fn read_discriminator(
        &mut self,
        discriminator: &Json,
        of: &Map<String, Json>,
        is_always_tagged: bool,
        place: &Place,
    ) {
        let document = self.document;
        document.read(discriminator, "propertyName");
        if !is_always_tagged {
            let message = "values without this member are refused, although a branch does not require it";
            self.losses.narrow(LossKind::UNION, &place.member("propertyName"), message);
        }
        for (value, target) in document.read_members(discriminator, "mapping") {
            if of.contains_key(value) {
                document.record(target);
                continue;
            }
            let target = target.as_str().unwrap_or_default().escape_debug();
            let message = format!("`{target}` is not a branch: the value is refused");
            self.losses.narrow(LossKind::UNION, &place.member("mapping").member(value), message);
        }
        if discriminator.get("defaultMapping").is_some() {
            let message = "values with another tag, or without a tag, are refused";
            self.losses.narrow(LossKind::UNION, &place.member("defaultMapping"), message);
        }
    }

    /// Converts a union without a discriminator. If one value could belong to several branches, these are replaced by a
    /// looser type.
    fn untagged_union(&mut self, branches: &[Branch<'a>], place: &Place, hint: &str) -> Type {
        let overlap = self.overlapping(branches);
        if !overlap.is_empty() {
            let kinds: Vec<&str> = overlap.iter().map(|kind| KINDS[*kind]).collect();
            let message = format!("a value could be of several branches ({})", kinds.join(", "));
            self.losses.widen(LossKind::UNION, place, message);
        }
        // A branch that overlaps with another branch is replaced by loose types of all its kinds.
        let is_loose = |branch: &Branch<'_>| overlap.iter().any(|kind| branch.values.kinds[*kind]);
        let loose_kinds: HashSet<usize> = branches
            .iter()
            .filter(|branch| is_loose(branch))
            .flat_map(|branch| (0..KINDS.len()).filter(|kind| branch.values.kinds[*kind]))
            .collect();
        if loose_kinds.len() == KINDS.len() {
            branches.iter().for_each(|branch| self.document.record_whole(branch.schema));
            return Type::new("any");
        }
        let is_absorbed = |branch: &Branch<'_>| loose_kinds.iter().any(|kind| branch.values.kinds[*kind]);
        let mut types = Vec::new();
        let mut kinds = loose_kinds.clone();
        for branch in branches {
            if is_absorbed(branch) {
                // The loss at the union names everything that the branch requires.
                self.document.record_whole(branch.schema);
                if branch.values.is_implied {
                    let message = "there is no `type`: values that are not objects or arrays are refused";
                    self.losses.narrow(LossKind::KEYWORD, &branch.place, message);
                }
                kinds.extend((0..KINDS.len()).filter(|kind| branch.values.kinds[*kind]));
            } else {
                types.push(self.convert_without_fields(branch.schema, &branch.place, &format!("{hint}_option")));
            }
        }
        let mut numbers = branches.iter().filter(|branch| branch.values.kinds[1]);
        let is_whole = numbers.all(|branch| branch.values.is_whole);
        let loose = Values { is_whole, kinds: std::array::from_fn(|kind| kinds.contains(&kind)), ..Values::default() };
        types.extend(loose.loose_types());
        Self::join(types)
    }

    /// Joins types to a union. Their kinds differ.
    pub(super) fn join(mut types: Vec<Type>) -> Type {
        if types.iter().any(|one| one.term() == "any") {
            return Type::new("any");
        }
        match types.len() {
            0 => Type::new("any"),
            1 => types.remove(0),
            _ => Type::new("union").with("of", types.into_iter().map(Type::into_term).collect::<Vec<_>>()),
        }
    }

    /// Joins the types of a schema whose `type` is a list.
    pub(super) fn union_of_types(&mut self, types: Vec<Type>, place: &Place, hint: &str) -> Type {
        let mut different: Vec<Type> = Vec::new();
        for one in types {
            let one = self.without_fields(one, &Json::Null, place, &format!("{hint}_option"));
            if !different.contains(&one) {
                different.push(one);
            }
        }
        // Every integer is a number, too.
        if different.iter().any(|one| one.term() == "float") {
            different.retain(|one| !one.term().starts_with("int") && !one.term().starts_with("uint"));
        }
        Self::join(different)
    }

    fn overlapping(&self, branches: &[Branch<'a>]) -> Vec<usize> {
        let is_overlap = |kind: usize| {
            let accepting: Vec<&Branch<'a>> = branches.iter().filter(|branch| branch.values.kinds[kind]).collect();
            accepting.len() > 1 && !have_different_constants(&accepting) && !(kind == 4 && self.have_choice(&accepting))
        };
        (0..KINDS.len()).filter(|kind| is_overlap(*kind)).collect()
    }

    /// Returns `true` if all branches are objects with a required member that has other constants in each.
    fn have_choice(&self, branches: &[&Branch<'a>]) -> bool {
        let constants = |branch: &Branch<'a>, name: &str| {
            let parts = self.object_parts(branch.schema, &branch.place).filter(|parts| parts.not_merged.is_empty())?;
            let member = parts.members.iter().find(|member| member.name == name && member.is_required)?;
            if self.document.is_nullable(member.schema) { None } else { self.document.values(member.schema).constants }
        };
        let Some(first) = branches.first().and_then(|first| self.object_parts(first.schema, &first.place)) else {
            return false;
        };
        first.members.iter().any(|member| {
            let mut seen = HashSet::new();
            branches.iter().all(|branch| {
                let constants = constants(branch, member.name);
                constants.is_some_and(|constants| constants.iter().all(|constant| seen.insert(constant.to_string())))
            })
        })
    }
}

/// Returns `true` if all branches consist of constants, and no two have the same.
fn have_different_constants(branches: &[&Branch<'_>]) -> bool {
    let mut seen = HashSet::new();
    branches.iter().all(|branch| {
        let constants = branch.values.constants.as_ref();
        let texts = constants.map(|constants| constants.iter().map(Json::to_string).collect::<HashSet<String>>());
        texts.is_some_and(|texts| texts.into_iter().all(|text| seen.insert(text)))
    })
}

/// The kinds of JSON values, without null. A whole number is a number.
pub(super) const KINDS: [&str; 5] = ["boolean", "number", "string", "array", "object"];

const MAX_DEPTH: usize = 32;

/// The maximum number of schemas that are searched for one. Schemas that refer twice to others would be searched very
/// often.
const MAX_SEARCHED: usize = 2000;

#[derive(Debug, Clone, Default)]
pub(in crate::openapi) struct Values {
    /// For each of [`KINDS`], whether a value can have this kind.
    pub kinds: [bool; 5],
    pub constants: Option<Vec<Json>>,
    pub is_whole: bool,
    /// `true` if keywords only imply the type of the values, so that values of other types are valid, too.
    pub is_implied: bool,
}

impl Values {
    fn anything() -> Self {
        Self { kinds: [true; 5], ..Self::default() }
    }

    pub(super) fn add_type(&mut self, name: &str) {
        let kind = if name == "integer" { "number" } else { name };
        self.is_whole &= name != "number";
        KINDS.iter().zip(&mut self.kinds).for_each(|(known, accepts)| *accepts |= *known == kind);
    }

    /// Returns a type for each kind, which accepts all values of it.
    pub(super) fn loose_types(&self) -> Vec<Type> {
        let number = if self.is_whole { "int" } else { "float" };
        let names = ["bool", number, "string", "array", "object"].into_iter().zip(self.kinds);
        names.filter(|(_, accepts)| *accepts).map(|(name, _)| Type::new(name)).collect()
    }

    pub(super) fn of_constants(constants: &[Json]) -> Self {
        let kinds = std::array::from_fn(|kind| constants.iter().any(|constant| kind_index(constant) == Some(kind)));
        let is_whole = constants.iter().filter(|constant| constant.is_number()).all(is_whole);
        Self { kinds, constants: Some(constants.to_vec()), is_whole, is_implied: false }
    }
}

impl<'a> Document<'a> {
    pub(in crate::openapi) fn values(self, schema: &'a Json) -> Values {
        let known = |schema: &Json| self.knowledge.values.borrow().get(&std::ptr::from_ref(schema)).cloned();
        let (chain, end) = self.follow(schema, |schema| known(schema).is_some());
        let values = match end {
            Some(end) => known(end).unwrap_or_else(|| self.values_at(end, 0, &mut 0)),
            None => Values::anything(),
        };
        let mut all = self.knowledge.values.borrow_mut();
        all.extend(chain.into_iter().chain(end).map(|schema| (std::ptr::from_ref(schema), values.clone())));
        values
    }

    /// Follows references from one schema to the next, without recursion, because there can be many. Returns the
    /// schemas with references, and the schema at the end: one that is known, or that is not a reference. Returns
    /// `None` for the schema at the end if the references lead nowhere or in a circle.
    fn follow(self, schema: &'a Json, is_known: impl Fn(&Json) -> bool) -> (Vec<&'a Json>, Option<&'a Json>) {
        let (mut chain, mut seen, mut schema) = (Vec::new(), HashSet::new(), schema);
        while !is_known(schema) {
            let Some(reference) = reference_of(schema) else { break };
            if !seen.insert(std::ptr::from_ref(schema)) {
                return (chain, None);
            }
            chain.push(schema);
            match self.find(reference) {
                Some((target, _)) => schema = target,
                None => return (chain, None),
            }
        }
        (chain, Some(schema))
    }

    pub(super) fn leads_to(self, schema: &'a Json, target: &Json) -> bool {
        let (chain, end) = self.follow(schema, |next| std::ptr::eq(next, target));
        !chain.is_empty() && end.is_some_and(|end| std::ptr::eq(end, target))
    }

    /// Returns the address of the schema to which a schema leads through its references. Returns `None` if they lead
    /// nowhere or in a circle.
    pub(super) fn end_of(self, schema: &'a Json) -> Option<*const Json> {
        let known = |schema: &Json| self.knowledge.ends.borrow().get(&std::ptr::from_ref(schema)).copied();
        let (chain, end) = self.follow(schema, |schema| known(schema).is_some());
        let end = end.and_then(|end| known(end).unwrap_or(Some(std::ptr::from_ref(end))));
        self.knowledge.ends.borrow_mut().extend(chain.into_iter().map(|schema| (std::ptr::from_ref(schema), end)));
        end
    }

    /// Returns `true` if the items of an array are the array itself, or arrays whose items lead back to it.
    pub(super) fn is_item_of_itself(self, array: &'a Json) -> bool {
        let mut current = array;
        for _ in 0..MAX_DEPTH {
            let Some(items) = current.get("items") else { return false };
            match self.follow(items, |_| false) {
                (_, Some(end)) if std::ptr::eq(end, array) => return true,
                (_, Some(end)) => current = end,
                (_, None) => return false,
            }
        }
        false
    }

    fn values_at(self, schema: &'a Json, depth: usize, searched: &mut usize) -> Values {
        *searched += 1;
        if depth > MAX_DEPTH || *searched > MAX_SEARCHED || schema.is_boolean() {
            return Values::anything();
        }
        if reference_of(schema).is_some() {
            let (_, end) = self.follow(schema, |_| false);
            return end.map_or_else(Values::anything, |end| self.values_at(end, depth + 1, searched));
        }
        let typed = |constants| typed_constants(schema, constants).into_iter().flatten().collect::<Vec<_>>();
        if let Some(constant) = schema.get("const") {
            return Values::of_constants(&typed(std::slice::from_ref(constant)));
        }
        if let Some(constants) = schema.get("enum").and_then(Json::as_array) {
            return Values::of_constants(&typed(constants));
        }
        let mut values = Values { is_whole: true, ..Values::default() };
        let names = match type_names(schema) {
            names if names.is_empty() => {
                let implied = self.implied_type(schema);
                values.is_implied = implied.is_some();
                implied.into_iter().collect()
            }
            names => names,
        };
        names.iter().for_each(|name| values.add_type(name));
        if !names.is_empty() {
            return values;
        }
        // All parts of `allOf` accept a value; one of them says of which kind it is.
        let mut parts = items(schema.get("allOf")).iter().map(|part| self.values_at(part, depth + 1, searched));
        if let Some(part) = parts.find(|part| part.kinds.contains(&false)) {
            return part;
        }
        let Some(branches) = ["oneOf", "anyOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array()) else {
            return Values::anything();
        };
        let mut constants = Some(Vec::new());
        for branch in branches.iter().filter(|branch| !is_null(branch)) {
            let branch = self.values_at(branch, depth + 1, searched);
            values.kinds.iter_mut().zip(branch.kinds).for_each(|(kind, more)| *kind |= more);
            values.is_whole &= branch.is_whole;
            values.is_implied |= branch.is_implied;
            constants = constants.zip(branch.constants).map(|(one, other)| [one, other].concat());
        }
        Values { constants, ..values }
    }

    /// Returns the type of a schema without `type` that its keywords imply. Keywords of texts and numbers imply no
    /// type: other values are valid, too.
    pub(super) fn implied_type(self, schema: &Json) -> Option<&'static str> {
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.get(*keyword).is_some());
        if has(&["properties", "additionalProperties", "patternProperties", "propertyNames", "required"]) {
            Some("object").filter(|_| !has(&["allOf", "oneOf", "anyOf"]) || has(&["properties"]))
        } else {
            has(&["items", "minItems", "maxItems"]).then_some("array")
        }
    }

    pub(in crate::openapi) fn is_nullable(self, schema: &'a Json) -> bool {
        let known = |schema: &Json| self.knowledge.is_nullable.borrow().get(&std::ptr::from_ref(schema)).copied();
        let (chain, end) = self.follow(schema, |schema| known(schema).is_some());
        let at_end = |end| known(end).unwrap_or_else(|| self.is_nullable_at(end, 0, &mut HashSet::new()));
        let mut is_nullable = end.is_some_and(at_end);
        let mut all = self.knowledge.is_nullable.borrow_mut();
        all.extend(end.map(|end| (std::ptr::from_ref(end), is_nullable)));
        for reference in chain.into_iter().rev() {
            is_nullable |= is_true(reference, "nullable");
            all.insert(std::ptr::from_ref(reference), is_nullable);
        }
        is_nullable
    }

    /// Returns `true` if null is a value of a schema, also of one without a type.
    pub(super) fn accepts_null(self, schema: &'a Json) -> bool {
        let values = self.values(schema);
        self.is_nullable(schema) || (values.kinds == [true; 5] && values.constants.is_none())
    }

    fn is_nullable_at(self, schema: &'a Json, depth: usize, seen: &mut HashSet<*const Json>) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        if reference_of(schema).is_some() {
            let (chain, end) = self.follow(schema, |_| false);
            let end = end.filter(|end| seen.insert(std::ptr::from_ref(*end)));
            return chain.iter().any(|reference| is_true(reference, "nullable"))
                || end.is_some_and(|end| self.is_nullable_at(end, depth + 1, seen));
        }
        if is_true(schema, "nullable") || is_null(schema) {
            return true;
        }
        if let Some(constant) = schema.get("const") {
            return constant.is_null();
        }
        if let Some(constants) = schema.get("enum").and_then(Json::as_array) {
            return constants.contains(&Json::Null);
        }
        if items(schema.get("type")).iter().any(|name| name == "null") {
            return true;
        }
        let mut branches = ["oneOf", "anyOf"].iter().flat_map(|keyword| items(schema.get(*keyword)));
        if branches.any(|branch| self.is_nullable_at(branch, depth + 1, seen)) {
            return type_names(schema).is_empty();
        }
        // Null is a value of all parts. A part without a type, such as a note, accepts it, too.
        let parts = items(schema.get("allOf"));
        let is_note = |part: &&'a Json| {
            let values = self.values(part);
            values.kinds == [true; 5] && values.constants.is_none() && reference_of(part).is_none()
        };
        let mut typed = parts.iter().filter(|part| !is_note(part)).peekable();
        type_names(schema).is_empty()
            && typed.peek().is_some()
            && typed.all(|part| self.is_nullable_at(part, depth + 1, seen))
    }
}

/// Returns `true` if the keyword `type` of a schema does not exclude null.
pub(super) fn allows_null(schema: &Json) -> bool {
    match schema.get("type") {
        Some(Json::String(name)) => name == "null" || is_true(schema, "nullable"),
        names => items(names).is_empty() || items(names).iter().any(|name| name == "null"),
    }
}

pub(super) fn is_null(schema: &Json) -> bool {
    let constants = schema.get("const").map_or_else(|| items(schema.get("enum")), std::slice::from_ref);
    let is_constant = !constants.is_empty() && constants.iter().all(Json::is_null);
    schema.get("type").is_some_and(|name| name == "null")
        || (is_constant && allows_null(schema))
        // OpenAPI 3.0 has no type for null; descriptions write an empty schema that is nullable.
        || (is_true(schema, "nullable") && members(Some(schema)).len() == 1)
}

/// Returns `true` if a constant is a whole number, also if it is written with a fraction of zero.
fn is_whole(constant: &Json) -> bool {
    constant.is_i64() || constant.is_u64() || constant.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// Returns `true` if a constant that is not null has a type of JSON Schema, or if JSON Schema has no such type.
pub(super) fn is_of_type(constant: &Json, name: &str) -> bool {
    match name {
        "integer" => is_whole(constant),
        "null" => false,
        _ => !KINDS.contains(&name) || kind_index(constant).is_some_and(|kind| KINDS[kind] == name),
    }
}

/// Returns the index in [`KINDS`] of a value's kind; `None` for null.
fn kind_index(json: &Json) -> Option<usize> {
    match json {
        Json::Null => None,
        Json::Bool(_) => Some(0),
        Json::Number(_) => Some(1),
        Json::String(_) => Some(2),
        Json::Array(_) => Some(3),
        Json::Object(_) => Some(4),
    }
}
