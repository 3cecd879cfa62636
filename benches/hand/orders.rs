//! The endpoint `POST /orders`: a megabyte of JSON, in which every value is checked.

use actix_web::web;
use serde::{Deserialize, Serialize};

use super::SUCCESS_MEMBERS;
use super::error::{ParameterError, RequestError};
use super::line::MAX_ID;
use crate::orders::{Customer, Line, Order, Shipment};

#[derive(Deserialize)]
pub struct Orders {
    orders: Vec<Order>,
}

#[derive(Serialize)]
pub struct Counted {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: &'static str,
    orders: usize,
    active: usize,
}

pub async fn count_orders(orders: web::Json<Orders>) -> Result<web::Json<Counted>, RequestError> {
    let orders = orders.into_inner().orders;
    orders.iter().try_for_each(check_order)?;
    let (error, description) = SUCCESS_MEMBERS;
    let active = orders.iter().map(|order| order.parts.active()).sum();
    Ok(web::Json(Counted { error, description, orders: orders.len(), active }))
}

fn check_order(order: &Order) -> Result<(), ParameterError> {
    if order.id > MAX_ID {
        return Err(ParameterError::new("id", "body", "0 to 2147483647", &order.id));
    }
    check_customer(&order.customer)?;
    order.lines.iter().try_for_each(check_line)?;
    match &order.shipment {
        Shipment::Post { weight } => check_number("weight", *weight, 1_000.0)?,
        Shipment::Pickup { at: text } | Shipment::Courier { name: text, express: _ } => {
            check_text("name", text, 1, 40)?;
        }
    }
    order.parts.check_each(|code, count, weight| {
        check_text("code", code, 1, 12)?;
        if count > 1_000 {
            return Err(ParameterError::new("count", "body", "0 to 1000", &count));
        }
        check_number("weight", weight, 100.0)
    })
}

fn check_customer(customer: &Customer) -> Result<(), ParameterError> {
    check_text("name", &customer.name, 1, 80)?;
    if let Some(mail) = &customer.mail {
        check_text("mail", mail, 3, 80)?;
    }
    check_text("street", &customer.address.street, 1, 80)?;
    check_text("town", &customer.address.town, 1, 80)
}

fn check_line(line: &Line) -> Result<(), ParameterError> {
    check_text("article", &line.article, 1, 40)?;
    if !(1..=1_000).contains(&line.count) {
        return Err(ParameterError::new("count", "body", "1 to 1000", &line.count));
    }
    check_number("amount", line.price.amount, 1e6)?;
    check_text("currency", &line.price.currency, 3, 3)
}

fn check_text(name: &'static str, text: &str, min: usize, max: usize) -> Result<(), ParameterError> {
    if (min..=max).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(ParameterError::new(name, "body", "another length", &text))
}

fn check_number(name: &'static str, number: f64, max: f64) -> Result<(), ParameterError> {
    if (0.0..=max).contains(&number) {
        return Ok(());
    }
    Err(ParameterError::new(name, "body", "a smaller number", &number))
}
