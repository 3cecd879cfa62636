//! Converts `oneOf` and `anyOf`.

use std::collections::HashSet;

use rulebook_model::definition::keys::is_comment_key;
use serde_json::{Map, Value as Json, json};

use super::kinds::{KINDS, Values, is_null};
use super::{Converter, LossKind, Place, Type, is_true, members, reference_of, schema_key, text};

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

    /// Converts a union without a discriminator. Branches of which a value could be are replaced by a looser type.
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

    /// Returns the kinds of values that can be of several branches.
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
