// The Rust code of Shop 1.0.0. It is generated from the definition: do not edit it.

#[allow(dead_code, non_camel_case_types, non_snake_case, clippy::all)]
mod shared {
    use ::serde::{Deserialize, Serialize};

    /// A postal address
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Address {
        /// The street
        pub street: String,
        /// What the address is for
        #[serde(rename = "type")]
        pub type_: AddressType,
        /// The code of the place
        #[serde(rename = "zipCode")]
        pub zip_code: Option<String>,
    }

    /// What the address is for
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum AddressType {
        /// `home`
        #[serde(rename = "home")]
        Home,
        /// `work`
        #[serde(rename = "work")]
        Work,
    }

    impl AddressType {
        /// Returns the text that requests and responses contain.
        #[must_use]
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Home => "home",
                Self::Work => "work",
            }
        }
    }

    impl ::std::str::FromStr for AddressType {
        type Err = ::serde::de::value::Error;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Self::deserialize(::serde::de::IntoDeserializer::into_deserializer(text))
        }
    }

    /// Headings that contain headings
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    pub struct Outline(pub ::std::collections::BTreeMap<String, Outline>);

    /// A schema with the name of a Rust type
    pub type String2 = String;
}
#[allow(unused_imports)]
pub use shared::*;

/// The API module `shop`.
///
/// A shop.
///
/// Its descriptions have several lines.
#[allow(dead_code, non_camel_case_types, non_snake_case, clippy::all)]
pub mod shop {
    use ::serde::{Deserialize, Serialize};

    /// A category of goods
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Category {
        /// The name
        pub name: String,
        /// The category that contains it
        pub parent: Option<Box<Category>>,
        /// The categories in it
        pub children: Vec<Category>,
        /// The name in other languages
        pub labels: ::std::collections::BTreeMap<String, String>,
    }

    /// A circle
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Circle {
        /// The radius
        pub radius: f64,
    }

    /// Something was created
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Created {
        /// The kind of event
        pub kind: CreatedKind,
        /// What was created
        pub id: i64,
    }

    /// The kind of event
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum CreatedKind {
        /// `created`
        #[serde(rename = "created")]
        Created,
    }

    impl CreatedKind {
        /// Returns the text that requests and responses contain.
        #[must_use]
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Created => "created",
            }
        }
    }

    impl ::std::str::FromStr for CreatedKind {
        type Err = ::serde::de::value::Error;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Self::deserialize(::serde::de::IntoDeserializer::into_deserializer(text))
        }
    }

    /// An event
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub enum Event {
        /// The objects in which `kind` is `created`.
        Created(Created),
        /// The objects in which `kind` is `moved`.
        Moved(Moved),
    }

    /// Some of both
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub enum Mixed {
        /// The objects in which `kind` is `created`.
        Created(Created),
        /// The objects in which `kind` is `round thing`.
        RoundThing(MixedRoundThing),
    }

    /// An object in which `kind` is `round thing`.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct MixedRoundThing {
        /// kind
        pub kind: MixedRoundThingKind,
        /// The radius
        pub radius: f64,
    }

    /// The value of `kind`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum MixedRoundThingKind {
        /// `round thing`
        #[serde(rename = "round thing")]
        RoundThing,
    }

    impl MixedRoundThingKind {
        /// Returns the text that requests and responses contain.
        #[must_use]
        pub fn as_str(self) -> &'static str {
            match self {
                Self::RoundThing => "round thing",
            }
        }
    }

    impl ::std::str::FromStr for MixedRoundThingKind {
        type Err = ::serde::de::value::Error;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Self::deserialize(::serde::de::IntoDeserializer::into_deserializer(text))
        }
    }

    /// Something was moved
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Moved {
        /// The kind of event
        pub kind: MovedKind,
        /// The new category
        pub to: Category,
    }

    /// The kind of event
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum MovedKind {
        /// `moved`
        #[serde(rename = "moved")]
        Moved,
    }

    impl MovedKind {
        /// Returns the text that requests and responses contain.
        #[must_use]
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Moved => "moved",
            }
        }
    }

    impl ::std::str::FromStr for MovedKind {
        type Err = ::serde::de::value::Error;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Self::deserialize(::serde::de::IntoDeserializer::into_deserializer(text))
        }
    }

    /// A person
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Person {
        /// The name
        pub name: String,
        /// Where the person lives
        pub address: super::Address,
        /// The date of birth
        pub born: String,
    }

    /// The price in one of the versions of a format
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub enum Price {
        /// an object
        ObjectVersion1(PriceObjectVersion1),
        /// an object
        Object350768d9(PriceObject350768d9),
    }

    /// The price in one of the versions of a format
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct PriceObjectVersion1 {
        /// The version
        pub version: PriceObjectVersion1Version,
        /// The price
        pub cents: Option<i64>,
    }

    /// The version
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(try_from = "i64", into = "i64")]
    pub struct PriceObjectVersion1Version;

    impl PriceObjectVersion1Version {
        /// The value that requests and responses contain.
        pub const VALUE: i64 = 1;
    }

    impl From<PriceObjectVersion1Version> for i64 {
        fn from(_: PriceObjectVersion1Version) -> Self {
            PriceObjectVersion1Version::VALUE
        }
    }

    impl ::std::convert::TryFrom<i64> for PriceObjectVersion1Version {
        type Error = &'static str;

        fn try_from(value: i64) -> Result<Self, Self::Error> {
            if matches!(value, 1) { Ok(Self) } else { Err("the value must be 1") }
        }
    }

    /// The price in one of the versions of a format
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct PriceObject350768d9 {
        /// The version
        pub version: PriceObject350768d9Version,
        /// The price
        pub value: Option<f64>,
    }

    /// The version
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub enum PriceObject350768d9Version {
        /// always 1.5
        _15(PriceObjectVersion15),
        /// always -2
        Minus2(PriceObjectVersionMinus2),
    }

    /// The version
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(try_from = "f64", into = "f64")]
    pub struct PriceObjectVersion15;

    impl PriceObjectVersion15 {
        /// The value that requests and responses contain.
        pub const VALUE: f64 = 1.5;
    }

    impl From<PriceObjectVersion15> for f64 {
        fn from(_: PriceObjectVersion15) -> Self {
            PriceObjectVersion15::VALUE
        }
    }

    impl ::std::convert::TryFrom<f64> for PriceObjectVersion15 {
        type Error = &'static str;

        fn try_from(value: f64) -> Result<Self, Self::Error> {
            if matches!(value, 1.5) { Ok(Self) } else { Err("the value must be 1.5") }
        }
    }

    /// The version
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(try_from = "i64", into = "i64")]
    pub struct PriceObjectVersionMinus2;

    impl PriceObjectVersionMinus2 {
        /// The value that requests and responses contain.
        pub const VALUE: i64 = -2;
    }

    impl From<PriceObjectVersionMinus2> for i64 {
        fn from(_: PriceObjectVersionMinus2) -> Self {
            PriceObjectVersionMinus2::VALUE
        }
    }

    impl ::std::convert::TryFrom<i64> for PriceObjectVersionMinus2 {
        type Error = &'static str;

        fn try_from(value: i64) -> Result<Self, Self::Error> {
            if matches!(value, -2) { Ok(Self) } else { Err("the value must be -2") }
        }
    }

    /// The value of a setting
    pub type Setting = Option<SettingValue>;

    /// The value of a setting
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub enum SettingValue {
        /// a whole number of 64 bits
        Integer(i64),
        /// text of 0 to 20 characters
        Text(String),
        /// a list, each item a whole number of 64 bits
        List(Vec<i64>),
        /// A postal address
        Address(super::Address),
    }

    /// A shape
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "shape")]
    pub enum Shape {
        /// The objects in which `shape` is `circle`.
        #[serde(rename = "circle")]
        Circle(Circle),
        /// The objects in which `shape` is `square`.
        #[serde(rename = "square")]
        Square(Square),
    }

    /// A square
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Square {
        /// The length of a side
        pub side: f64,
    }

    /// The state of a switch
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub enum Switch {
        /// an object
        ObjectOnTrue(SwitchObjectOnTrue),
        /// an object
        ObjectOnFalse(SwitchObjectOnFalse),
    }

    /// The state of a switch
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct SwitchObjectOnTrue {
        /// The switch is on
        pub on: SwitchObjectOnTrueOn,
        /// How bright the light is
        pub level: Option<i64>,
    }

    /// The switch is on
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(try_from = "bool", into = "bool")]
    pub struct SwitchObjectOnTrueOn;

    impl SwitchObjectOnTrueOn {
        /// The value that requests and responses contain.
        pub const VALUE: bool = true;
    }

    impl From<SwitchObjectOnTrueOn> for bool {
        fn from(_: SwitchObjectOnTrueOn) -> Self {
            SwitchObjectOnTrueOn::VALUE
        }
    }

    impl ::std::convert::TryFrom<bool> for SwitchObjectOnTrueOn {
        type Error = &'static str;

        fn try_from(value: bool) -> Result<Self, Self::Error> {
            if matches!(value, true) { Ok(Self) } else { Err("the value must be true") }
        }
    }

    /// The state of a switch
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct SwitchObjectOnFalse {
        /// The switch is off
        pub on: SwitchObjectOnFalseOn,
        /// The second in which it was switched off
        pub since: Option<i64>,
    }

    /// The switch is off
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(try_from = "bool", into = "bool")]
    pub struct SwitchObjectOnFalseOn;

    impl SwitchObjectOnFalseOn {
        /// The value that requests and responses contain.
        pub const VALUE: bool = false;
    }

    impl From<SwitchObjectOnFalseOn> for bool {
        fn from(_: SwitchObjectOnFalseOn) -> Self {
            SwitchObjectOnFalseOn::VALUE
        }
    }

    impl ::std::convert::TryFrom<bool> for SwitchObjectOnFalseOn {
        type Error = &'static str;

        fn try_from(value: bool) -> Result<Self, Self::Error> {
            if matches!(value, false) { Ok(Self) } else { Err("the value must be false") }
        }
    }

    /// The arguments of `GET /shop`: Searches the shop
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct SearchArguments {
        /// What to search for
        #[serde(rename = "type")]
        pub type_: Option<SearchType>,
        /// The maximum number of results
        pub limit: Option<i64>,
        /// Only goods that are newer
        pub since: Option<i64>,
        /// Only goods with these tags
        pub tags: Option<Vec<String>>,
        /// The trace
        pub trace: Option<String>,
    }

    /// What to search for
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum SearchType {
        /// `all`
        #[serde(rename = "all")]
        All,
        /// `2nd-hand`
        #[serde(rename = "2nd-hand")]
        _2ndHand,
        /// `new`
        #[serde(rename = "new")]
        New,
    }

    impl SearchType {
        /// Returns the text that requests and responses contain.
        #[must_use]
        pub fn as_str(self) -> &'static str {
            match self {
                Self::All => "all",
                Self::_2ndHand => "2nd-hand",
                Self::New => "new",
            }
        }
    }

    impl ::std::str::FromStr for SearchType {
        type Err = ::serde::de::value::Error;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Self::deserialize(::serde::de::IntoDeserializer::into_deserializer(text))
        }
    }

    /// The response of `GET /shop`: What was found
    pub type SearchOutputs = Vec<SearchOutputsItem>;

    /// The response of `GET /shop`: What was found
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct SearchOutputsItem {
        /// The article
        pub id: i64,
        /// The price
        pub price: f64,
        /// How many there are
        pub stock: u64,
        /// Its category
        pub category: Option<Category>,
    }

    /// The errors of `GET /shop`
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum SearchError {
        /// `too_many`
        #[serde(rename = "too_many")]
        TooMany,
        /// `2fa`
        #[serde(rename = "2fa")]
        _2fa,
    }

    impl SearchError {
        /// Returns the text that requests and responses contain.
        #[must_use]
        pub fn as_str(self) -> &'static str {
            match self {
                Self::TooMany => "too_many",
                Self::_2fa => "2fa",
            }
        }
    }

    impl ::std::str::FromStr for SearchError {
        type Err = ::serde::de::value::Error;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Self::deserialize(::serde::de::IntoDeserializer::into_deserializer(text))
        }
    }

    /// The arguments of `POST /shop`: Changes the shop
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct ChangeArguments {
        /// A parameter with the name of a keyword
        #[serde(rename = "self")]
        pub self_: bool,
        /// What happens
        pub event: Event,
        /// A shape
        pub shape: Option<Shape>,
        /// Either
        pub mixed: Mixed,
        /// The light
        pub switch: Switch,
        /// The prices
        pub prices: Vec<Price>,
        /// The settings
        pub settings: ::std::collections::BTreeMap<String, Setting>,
        /// What changes of a person
        pub person: ChangePerson,
        /// Headings
        pub outline: super::Outline,
        /// A short text
        pub short: super::String2,
        /// Anything
        pub any: Option<::serde_json::Value>,
        /// An object with any members
        pub free: ::serde_json::Map<String, ::serde_json::Value>,
    }

    /// What changes of a person
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct ChangePerson {
        /// The name
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// Where the person lives
        #[serde(skip_serializing_if = "Option::is_none")]
        pub address: Option<super::Address>,
        /// The date of birth
        #[serde(skip_serializing_if = "Option::is_none")]
        pub born: Option<String>,
    }

    /// The outputs of `POST /shop`
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct ChangeOutputs {
        /// What happened
        pub event: Event,
        /// The shape
        pub shape: Option<Shape>,
        /// Either
        pub mixed: Mixed,
        /// The light
        pub switch: Switch,
        /// The prices
        pub prices: Vec<Price>,
        /// The settings
        pub settings: ::std::collections::BTreeMap<String, Setting>,
        /// What changed
        pub person: ChangePerson,
        /// Headings
        pub outline: super::Outline,
        /// A short text
        pub short: super::String2,
        /// Anything
        pub any: Option<::serde_json::Value>,
        /// An object with any members
        pub free: ::serde_json::Map<String, ::serde_json::Value>,
    }

    /// The arguments of `GET /shop/{id}/photo`: Returns a photo
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct PhotoArguments {
        /// The article
        pub id: i64,
    }

    /// The arguments of `PUT /shop/{id}/photo`: Stores a photo
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct UploadPhotoArguments {
        /// The article
        pub id: i64,
        /// The photo
        #[serde(skip)]
        pub photo: Vec<u8>,
        /// More photos
        #[serde(skip)]
        pub more: Option<Vec<Vec<u8>>>,
    }

    /// The outputs of `PUT /shop/{id}/photo`
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct UploadPhotoOutputs {
        /// The size of all photos
        pub bytes: u64,
    }

    /// The arguments of `DELETE /shop/{id}/photo`: Removes the photo
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct ClearArguments {
        /// The article
        pub id: i64,
    }

    /// The arguments of `PATCH /shop/{id}/photo`: Labels the photo
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct LabelArguments {
        /// The article
        pub id: i64,
        /// The label
        pub label: String,
    }

    /// The response of `PATCH /shop/{id}/photo`: The photo
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct LabelOutputs {
        /// The label
        pub label: String,
    }
}
