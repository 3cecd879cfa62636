//! The body of the case `schemas`: about a megabyte of orders, which consist of 50 kinds of objects. Both servers
//! deserialize it into these structs.

use serde::Deserialize;
use serde_json::{Value as Json, json};

/// The path of the endpoint.
pub const PATH: &str = "/orders";
/// The number of orders, with which the body has almost 1 MiB.
const ORDERS: usize = 335;

/// The names of the fields of [`Parts`], and those of the schemas of their objects.
macro_rules! parts {
    ($($field:ident: $name:ident,)*) => {
        $(
            #[derive(Deserialize)]
            pub struct $name {
                pub code: String,
                pub count: u32,
                pub weight: f64,
                pub active: bool,
            }
        )*

        /// The parts of an order, each an object with a schema of its kind.
        #[derive(Deserialize)]
        pub struct Parts {
            $(pub $field: $name,)*
        }

        impl Parts {
            /// Calls `check` with the values of each part, until one is invalid.
            pub fn check_each<E>(&self, check: impl Fn(&str, u32, f64) -> Result<(), E>) -> Result<(), E> {
                $(check(&self.$field.code, self.$field.count, self.$field.weight)?;)*
                Ok(())
            }

            /// Returns the number of active parts.
            pub fn active(&self) -> usize {
                [$(self.$field.active,)*].into_iter().filter(|active| *active).count()
            }
        }

        /// The field and the schema of each part.
        const PARTS: &[(&str, &str)] = &[$((stringify!($field), stringify!($name)),)*];
    };
}

parts! {
    p0: Part0, p1: Part1, p2: Part2, p3: Part3, p4: Part4, p5: Part5, p6: Part6, p7: Part7, p8: Part8, p9: Part9,
    p10: Part10, p11: Part11, p12: Part12, p13: Part13, p14: Part14, p15: Part15, p16: Part16, p17: Part17,
    p18: Part18, p19: Part19, p20: Part20, p21: Part21, p22: Part22, p23: Part23, p24: Part24, p25: Part25,
    p26: Part26, p27: Part27, p28: Part28, p29: Part29, p30: Part30, p31: Part31, p32: Part32, p33: Part33,
    p34: Part34, p35: Part35, p36: Part36, p37: Part37, p38: Part38, p39: Part39, p40: Part40,
}

#[derive(Deserialize)]
pub struct Order {
    pub id: u32,
    pub customer: Customer,
    pub lines: Vec<Line>,
    pub shipment: Shipment,
    pub parts: Parts,
}

#[derive(Deserialize)]
pub struct Customer {
    pub name: String,
    pub mail: Option<String>,
    pub address: Address,
}

#[derive(Deserialize)]
pub struct Address {
    pub street: String,
    pub town: String,
    #[allow(dead_code, reason = "deserializing it is its check")]
    pub country: Country,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Country {
    Fr,
    De,
    Es,
}

#[derive(Deserialize)]
pub struct Line {
    pub article: String,
    pub count: u32,
    pub price: Money,
}

#[derive(Deserialize)]
pub struct Money {
    pub amount: f64,
    pub currency: String,
}

#[derive(Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Shipment {
    Post {
        weight: f64,
    },
    Pickup {
        at: String,
    },
    Courier {
        name: String,
        #[allow(dead_code, reason = "deserializing it is its check")]
        express: bool,
    },
}

/// Returns the body of the request.
pub fn body() -> String {
    json!({ "orders": (0..ORDERS).map(order).collect::<Vec<_>>() }).to_string()
}

fn order(number: usize) -> Json {
    let part = |index: usize| {
        json!({ "code": format!("{number}-{index}"), "count": (number * index) % 1_000,
            "weight": (number + index) as f64 / 8.0, "active": (number + index).is_multiple_of(2) })
    };
    let parts: serde_json::Map<_, _> =
        PARTS.iter().enumerate().map(|(index, (field, _))| ((*field).to_owned(), part(index))).collect();
    let line = |index: usize| {
        json!({ "article": format!("article {index}"), "count": index + 1,
            "price": { "amount": index as f64 + 0.5, "currency": "EUR" } })
    };
    let shipment = match number % 3 {
        0 => json!({ "by": "post", "weight": number as f64 }),
        1 => json!({ "by": "pickup", "at": "the shop" }),
        _ => json!({ "by": "courier", "name": "Grace", "express": true }),
    };
    json!({
        "id": number,
        "customer": { "name": "Ada Lovelace", "mail": null,
            "address": { "street": "12, rue de l'Été", "town": "Nantes", "country": "fr" } },
        "lines": (0..3).map(line).collect::<Vec<_>>(),
        "shipment": shipment,
        "parts": parts,
    })
}

/// Returns the schemas of the definition.
pub fn schemas() -> Json {
    let field = |r#type: &str| json!({ "info": "A field", "type": r#type });
    let object = |fields: Json| json!({ "info": "A schema", "fields": fields });
    let number = |max: f64| json!({ "info": "A number", "type": "float", "min": 0, "max": max });
    let part = object(json!({
        "code": field("string(1,12)"), "count": field("int(0,1000)"), "weight": number(100.0), "active": field("bool") }));
    let parts: serde_json::Map<_, _> = PARTS.iter().map(|(name, schema)| ((*name).to_owned(), field(schema))).collect();
    let mut schemas = json!({
        "Order": object(json!({
            "id": field("id"), "customer": field("Customer"), "lines": field("array<Line>"), "shipment": field("Shipment"),
            "parts": { "info": "The parts", "type": "object", "fields": parts } })),
        "Customer": object(json!({
            "name": field("string(1,80)"), "mail": field("?string(3,80)"), "address": field("Address") })),
        "Address": object(json!({
            "street": field("string(1,80)"), "town": field("string(1,80)"), "country": field("enum(fr|de|es)") })),
        "Line": object(json!({ "article": field("string(1,40)"), "count": field("int(1,1000)"), "price": field("Money") })),
        "Money": object(json!({ "amount": number(1e6), "currency": field("string(3)") })),
        "Post": object(json!({ "weight": number(1_000.0) })),
        "Pickup": object(json!({ "at": field("string(1,40)") })),
        "Courier": object(json!({ "name": field("string(1,40)"), "express": field("bool") })),
        "Shipment": { "info": "How it is shipped", "type": "union", "tag": "by",
            "of": { "post": "Post", "pickup": "Pickup", "courier": "Courier" } },
    });
    for (_, schema) in PARTS {
        schemas[*schema] = part.clone();
    }
    schemas
}
