//! That both servers do the same, before it is measured how fast.

use std::error::Error;
use std::net::SocketAddr;

use ureq::Agent;
use ureq::http::{self, header};

use super::server::{Kind, Pair};
use crate::cases::{Case, Request};

/// Checks that both answer the case's request with the same bytes, and refuse its bad requests alike.
pub fn same(case: Case, pair: &Pair) -> Result<(), Box<dyn Error>> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let [hand, ours] = [Kind::Hand, Kind::Rulebook].map(|kind| pair.of(kind).address);

    let request = case.request();
    let by_hand = send(&agent, hand, &request)?;
    let by_rulebook = send(&agent, ours, &request)?;
    if by_hand != by_rulebook || by_hand.0 != 200 {
        return Err(format!(
            "{}: the servers do not answer alike\nby hand:  {by_hand:?}\nrulebook: {by_rulebook:?}",
            case.title()
        )
        .into());
    }

    for (request, status) in case.refused() {
        for (kind, address) in [(Kind::Hand, hand), (Kind::Rulebook, ours)] {
            let answer = send(&agent, address, &request)?;
            if answer.0 != status {
                return Err(format!(
                    "{}: {} does not refuse with {status}\nrequest: {request:?}\nanswer:  {answer:?}",
                    case.title(),
                    kind.title()
                )
                .into());
            }
        }
    }
    Ok(())
}

/// Status and body of the answer.
fn send(agent: &Agent, address: SocketAddr, request: &Request) -> Result<(u16, String), Box<dyn Error>> {
    let mut builder =
        http::Request::builder().method(request.method).uri(format!("http://{address}{}", request.target));
    if let Some(token) = &request.token {
        builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut response = match &request.body {
        None => agent.run(builder.body(())?)?,
        Some(body) => agent.run(builder.header(header::CONTENT_TYPE, body.media_type).body(body.text.as_str())?)?,
    };
    Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
}
