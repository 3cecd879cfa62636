//! Recorded answers of PhalApi's program to names of services, good and bad.
//!
//! A success is to go to the method of that name, a refusal to be the recorded one letter for letter. Where it is
//! decided otherwise on purpose, `phalapi_services_differences.json` says why.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::outcome;
use crate::client::{Answer, Request, Site};

#[derive(Deserialize)]
struct Row {
    id: String,
    config: Json,
    request: Asked,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

impl Asked {
    fn request(&self) -> Request {
        let request = Request::new(&self.method, &self.target);
        match &self.body {
            None => self.headers.iter().fold(request, |request, (name, value)| request.field(name, value)),
            Some(body) => request.body(&self.headers["Content-Type"], body.as_str()),
        }
    }
}

/// The sample's services, as rules.
fn sample(catalogue: &str) -> Site {
    let to = |id: &str| json!({ "name": "to", "default": id });
    let method = |id: &str| json!({ "to": to(id) });
    let app = json!({ "catalogue": catalogue, "service": { "on": true, "default": "Site.Index" } });
    let rules = json!({
        "Site": { "Index": method("site.index") },
        "Shop_Order": { "GetList": method("shop_order.getlist"), "Index": method("shop_order.index") },
        "User": {
            "Login": {
                "username": { "name": "username", "require": true },
                "password": { "name": "password", "require": true, "min": 6 },
                "to": to("user.login") },
            "GetById": { "id": { "name": "id", "type": "int", "require": true, "min": 1 }, "to": to("user.getbyid") },
            "EchoIt": { "v": { "name": "v" }, "to": to("user.echoit") },
            "_under": method("user._under"),
            "leak": method("user.leak"),
            "OnlyPost": { "@method": "POST", "to": to("user.onlypost") },
            "OnlyGet": { "@method": "GET", "to": to("user.onlyget") }
        }
    });
    Site::echo(&[("app.json", app), ("rules.json", rules)])
}

/// The method that a recorded success went to, from wherever it was named.
fn meant(asked: &Asked) -> String {
    let query = asked.target.split_once('?').map_or("", |(_, query)| query);
    let body = asked.body.as_deref().unwrap_or_default();
    let mut fields: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    match serde_json::from_str::<serde_json::Map<String, Json>>(body) {
        Ok(json) => {
            fields.extend(json.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))));
        }
        Err(_) => fields.extend(form_urlencoded::parse(body.as_bytes()).into_owned()),
    }
    let name = fields.get("service").or(fields.get("s")).map_or("site.index", String::as_str).to_lowercase();
    name.strip_prefix("app.").unwrap_or(&name).to_owned()
}

fn agrees(row: &Row, answer: &Answer) -> bool {
    let same_head = answer.status == row.status
        && answer.field("content-type") == row.headers.get("Content-Type").map(String::as_str);
    let Ok(recorded) = serde_json::from_str::<Json>(&row.body) else {
        return same_head && row.body.is_empty() && answer.body.is_empty();
    };
    if recorded["ret"] != 200 {
        return same_head && answer.json() == recorded;
    }
    same_head && outcome(answer).is_ok_and(|(to, _)| to == meant(&row.request))
}

#[test]
fn names_are_answered_as_they_were_but_for_the_named_differences() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../data/vectors/phalapi_services.json")).unwrap();
    let mut differences: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../data/vectors/phalapi_services_differences.json")).unwrap();
    let sites = [("en", sample("2.x")), ("zh_cn", sample("zh"))];
    let mut wrong = String::new();
    for row in &rows {
        let (_, site) = sites.iter().find(|(language, _)| row.config["language"] == *language).unwrap();
        let answer = site.send(&row.request.request());
        let named = differences.remove(&row.id);
        if agrees(row, &answer) == named.is_some() {
            let Row { id, status, body, .. } = row;
            let named = named.map_or(String::new(), |reason| format!(", although: {reason}"));
            let body = serde_json::from_str(body).unwrap_or_else(|_| Json::from(body.as_str()));
            let here: String = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
            wrong.push_str(&format!("{id}: recorded {status} {body}, here {} {here}{named}\n\n", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}
