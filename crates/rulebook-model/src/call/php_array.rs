//! Arrays that the names of fields describe with brackets, as PHP reads them: `x[]=a`, `x[k]=a`, `x[a][b]=1`.
//!
//! The rules are those of the PHP function `parse_str`: `[]` adds an item with the next free index, a key that is a
//! whole number is an index, and text after the last bracket is ignored. A name whose first bracket is not closed, or
//! that begins with a bracket, is an ordinary name.

use std::borrow::Cow;

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::Value;

/// An array of PHP: items with keys, in the order in which the request contains them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PhpArray<'a> {
    items: IndexMap<PhpKey<'a>, PhpItem<'a>>,
    /// The largest index; `None` if no key is an index.
    last_index: Option<i64>,
    /// `true` if the name of an item has no key between its brackets.
    has_appended_items: bool,
}

/// The key of an item in an array of PHP.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PhpKey<'a> {
    /// A whole number of 64 bits, written without leading zeros.
    Index(i64),
    /// Any other text.
    Name(Cow<'a, str>),
}

/// An item of an array of PHP.
#[derive(Debug, Clone, PartialEq)]
pub enum PhpItem<'a> {
    /// A text, or an uploaded file.
    Value(Value<'a>),
    /// Another array.
    Array(Box<PhpArray<'a>>),
}

/// The limits of an array of PHP while its items are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhpArrayLimits {
    /// The maximum nesting depth; an array without arrays in it has the depth 1.
    pub nesting: u64,
    /// The maximum number of items of each array.
    pub items: u64,
    /// If `true`, a value replaces an earlier value with the same key, as in PHP. If `false`, this is an error.
    pub replaces_values: bool,
}

/// The reason why an item cannot be added to an array of PHP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhpArrayError {
    /// The name of the field has more keys than the maximum nesting depth.
    Nesting,
    /// The array has the maximum number of items.
    Items,
    /// The array already has a value with this key, or has no free index.
    Repeated,
}

/// Splits the name of a field into the name of its parameter and the keys in brackets. Returns `None` if the name does
/// not describe an item of an array.
#[must_use]
pub fn split_array_name(name: &str) -> Option<(&str, BracketKeys<'_>)> {
    let keys = BracketKeys { rest: &name[name.find('[').filter(|at| *at > 0)?..] };
    let parameter = &name[..name.len() - keys.rest.len()];
    keys.clone().next().map(|_| (parameter, keys))
}

/// The keys in the brackets of a field name, from the left; `None` for `[]`.
#[derive(Debug, Clone)]
pub struct BracketKeys<'n> {
    rest: &'n str,
}

impl<'n> Iterator for BracketKeys<'n> {
    type Item = Option<&'n str>;

    fn next(&mut self) -> Option<Self::Item> {
        let inside = self.rest.strip_prefix('[')?;
        let Some(end) = inside.find(']') else {
            // PHP ignores a bracket that is not closed.
            self.rest = "";
            return None;
        };
        self.rest = &inside[end + 1..];
        let key = &inside[..end];
        // PHP skips one white space character after the bracket to find out whether the key is empty.
        let is_space = |key: &str| matches!(key, " " | "\t" | "\n" | "\x0b" | "\x0c" | "\r");
        Some(Some(key).filter(|key| !key.is_empty() && !is_space(key)))
    }
}

impl<'a> PhpKey<'a> {
    /// Converts the text of a key. `text` is an index if PHP would write the number in the same way.
    fn new(text: Cow<'a, str>) -> Self {
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let is_canonical = match digits.as_bytes() {
            [b'0'] => text.len() == 1,
            [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        match text.parse() {
            Ok(index) if is_canonical => Self::Index(index),
            _ => Self::Name(text),
        }
    }

    /// Returns the key as the name of a member of an object.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Index(index) => Cow::Owned(index.to_string()),
            Self::Name(name) => name,
        }
    }
}

impl<'a> PhpArray<'a> {
    /// Adds the value of the field with this name. `name` is the whole name, with the parameter and all keys.
    ///
    /// # Errors
    /// Fails if the value exceeds a limit, or if the array already has a value with the same keys and `limits` do not
    /// allow to replace it. The array then has an unspecified value.
    pub fn insert(
        &mut self,
        name: Cow<'a, str>,
        value: Value<'a>,
        limits: PhpArrayLimits,
    ) -> Result<(), PhpArrayError> {
        match name {
            Cow::Borrowed(name) => self.insert_keys(name, Cow::Borrowed, value, limits),
            Cow::Owned(name) => self.insert_keys(&name, |key| Cow::Owned(key.to_owned()), value, limits),
        }
    }

    fn insert_keys<'n>(
        &mut self,
        name: &'n str,
        to_key: impl Fn(&'n str) -> Cow<'a, str>,
        value: Value<'a>,
        limits: PhpArrayLimits,
    ) -> Result<(), PhpArrayError> {
        let Some((_, mut keys)) = split_array_name(name) else { return Ok(()) };
        if keys.clone().count() as u64 > limits.nesting {
            return Err(PhpArrayError::Nesting);
        }
        let mut array = self;
        let Some(mut key) = keys.next() else { return Ok(()) };
        for next in keys {
            let key = std::mem::replace(&mut key, next).map(|key| PhpKey::new(to_key(key)));
            let (item, is_new) = array.find_or_add(key, limits.items)?;
            if !matches!(item, PhpItem::Array(_)) {
                if !is_new && !limits.replaces_values {
                    return Err(PhpArrayError::Repeated);
                }
                *item = PhpItem::Array(Box::default());
            }
            let PhpItem::Array(inner) = item else { return Ok(()) };
            array = inner;
        }
        let (item, is_new) = array.find_or_add(key.map(|key| PhpKey::new(to_key(key))), limits.items)?;
        if !is_new && !limits.replaces_values {
            return Err(PhpArrayError::Repeated);
        }
        *item = PhpItem::Value(value);
        Ok(())
    }

    /// Adds a value with the next free index, as if its field had empty brackets.
    ///
    /// # Errors
    /// Fails if no index is free.
    pub fn push(&mut self, value: Value<'a>) -> Result<(), PhpArrayError> {
        let (item, _) = self.find_or_add(None, u64::MAX)?;
        *item = PhpItem::Value(value);
        Ok(())
    }

    /// Returns the item with this key, and whether it is new. Without a key, adds an item with the next free index.
    fn find_or_add(
        &mut self,
        key: Option<PhpKey<'a>>,
        max_items: u64,
    ) -> Result<(&mut PhpItem<'a>, bool), PhpArrayError> {
        let key = match key {
            Some(key) => key,
            None => {
                self.has_appended_items = true;
                let next = self.last_index.map_or(Some(0), |last| last.checked_add(1));
                PhpKey::Index(next.ok_or(PhpArrayError::Repeated)?)
            }
        };
        let is_full = self.items.len() as u64 >= max_items;
        match self.items.entry(key) {
            Entry::Occupied(item) => Ok((item.into_mut(), false)),
            Entry::Vacant(_) if is_full => Err(PhpArrayError::Items),
            Entry::Vacant(place) => {
                if let PhpKey::Index(index) = place.key() {
                    self.last_index = self.last_index.max(Some(*index));
                }
                Ok((place.insert(PhpItem::Value(Value::Null)), true))
            }
        }
    }

    /// Returns the text with this key; `None` if there is no such item, or if it is not a text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.items.iter().find_map(|(name, item)| match (name, item) {
            (PhpKey::Name(name), PhpItem::Value(Value::Text(text))) if *name == key => Some(&**text),
            _ => None,
        })
    }

    /// Returns `true` if the keys are 0, 1, 2 and so on, in this order. PHP encodes such an array as a list in JSON,
    /// and every other array as an object.
    #[must_use]
    pub fn is_list(&self) -> bool {
        (0..).zip(self.items.keys()).all(|(position, key)| *key == PhpKey::Index(position))
    }

    /// Returns `true` if the name of at least one item has no key between its brackets, as in `x[]`.
    #[must_use]
    pub fn has_appended_items(&self) -> bool {
        self.has_appended_items
    }

    /// Returns `true` if no key is a name.
    #[must_use]
    pub fn has_only_indexes(&self) -> bool {
        self.items.keys().all(|key| matches!(key, PhpKey::Index(_)))
    }

    /// Returns the items with their keys, in the order of the request.
    #[must_use]
    pub fn into_items(self) -> Vec<(PhpKey<'a>, PhpItem<'a>)> {
        self.items.into_iter().collect()
    }

    /// Returns the items in the order of their indexes, without the keys. Items with names are last.
    #[must_use]
    pub fn into_sorted_items(mut self) -> Vec<PhpItem<'a>> {
        if !self.is_list() {
            self.items.sort_by_key(|key, _| match key {
                PhpKey::Index(index) => (false, *index),
                PhpKey::Name(_) => (true, 0),
            });
        }
        self.items.into_values().collect()
    }

    /// Returns the array as JSON, as PHP encodes it. Every item remains a text.
    #[must_use]
    pub fn into_value(self) -> Value<'a> {
        self.into_value_with(&mut |item| match item {
            PhpItem::Value(value) => value,
            PhpItem::Array(array) => array.into_value(),
        })
    }

    /// Returns the array as JSON, as PHP encodes it. `convert` converts the items.
    pub(crate) fn into_value_with(self, convert: &mut dyn FnMut(PhpItem<'a>) -> Value<'a>) -> Value<'a> {
        if self.is_list() {
            return Value::List(self.items.into_values().map(convert).collect());
        }
        Value::Map(self.items.into_iter().map(|(key, item)| (key.into_text(), convert(item))).collect())
    }
}
