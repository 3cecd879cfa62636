//! Whatever is asked, it is answered.

use super::subject::methods;
use super::{Claim, Counts, Subject};
use crate::client::{Bearer, Site};
use crate::http::random::request::{Routes, request};
use crate::http::random::{ANY, judge as judged};

/// No request fails the server, and each is answered in a whole document of an envelope.
pub const CLAIM: Claim = Claim { name: "answered", judge };

/// How many values there are for each request.
const VALUES: usize = 4;

fn judge(subject: &mut Subject, values: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = subject.rulebook().inspect(Bearer).build().map_err(|report| report.to_string())?;
    counts.methods += methods(engine.api()).len() as u64;
    if engine.api().modules.iter().all(|module| module.services.is_empty()) {
        return Ok(());
    }
    let routes = Routes::new(engine.api());
    let site = Site::start(&engine);
    let mut connection = site.connect().fleeting();
    for _ in 0..values.div_ceil(VALUES) {
        let asked = request(&routes, &mut subject.choices);
        let answer = judged(&mut connection, &asked, ANY).map_err(|why| format!("{why}\n{asked:?}"))?;
        counts.answered(answer.status);
        if answer.field("connection") == Some("close") {
            connection = site.connect().fleeting();
        }
    }
    Ok(())
}
