//! `data/rules/documents.json`: the examples of PhalApi's document on parameters, in their order, asked over HTTP.
//!
//! Answers are compared with what the document shows of them: the values that a method works with, or `ret`.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::echo;
use crate::client::{Request, Site};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    /// The section, and what it shows.
    what: String,
    #[serde(default)]
    app: Json,
    rules: Json,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A target of GET; with `form` one of POST.
    send: String,
    form: Option<String>,
    /// A multipart body: parameters of the disposition and content.
    parts: Option<Vec<(String, String)>>,
    /// What the method works with.
    data: Option<Json>,
    /// The refusal's `ret`.
    ret: Option<u16>,
    /// The refusal's `msg`, where the rule says it.
    msg: Option<String>,
}

impl Case {
    fn request(&self) -> Request {
        if let Some(form) = &self.form {
            return Request::new("POST", &*self.send).body("application/x-www-form-urlencoded", form.as_str());
        }
        if let Some(parts) = &self.parts {
            let parts: Vec<_> = parts.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
            return Request::new("POST", &*self.send).multipart(&parts);
        }
        Request::new("GET", &*self.send)
    }
}

#[test]
fn examples_are_answered_as_documented() {
    let groups: Vec<Group> = serde_json::from_str(include_str!("../data/rules/documents.json")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for Group { what, app, rules, cases } in groups {
        let engine = echo(&app, &rules).unwrap_or_else(|report| panic!("{what}: {report}"));
        let site = Site::start(&engine);
        for case in cases {
            let answer = site.send(&case.request());
            let body = answer.json();
            let expected = case.data.as_ref().map_or(case.ret.unwrap_or_default(), |_| 200);
            let agrees = answer.status == 200
                && body["ret"] == expected
                && case.data.as_ref().is_none_or(|data| body["data"] == json!({ "args": data }))
                && case.msg.as_ref().is_none_or(|msg| body["msg"].as_str().is_some_and(|said| said.contains(msg)));
            if !agrees {
                wrong.push(format!("{what}: {} {:?}: {body}", case.send, case.form));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "{count} cases only");
}
