//! That both servers do the same, before it is measured how fast.

use std::borrow::Cow;
use std::error::Error;
use std::net::SocketAddr;

use ureq::Agent;
use ureq::http::{self, header};

use super::server::{Kind, Pair};
use crate::cases::{Case, Request};

/// How much of a body is told.
const TOLD: usize = 1000;
/// The most bytes of an answer.
const LIMIT: u64 = 1 << 30;

/// Checks that both answer the case's request with the same bytes, and refuse its bad requests alike.
pub fn same(case: Case, pair: &Pair) -> Result<(), Box<dyn Error>> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let [hand, ours] = [Kind::Hand, Kind::Rulebook].map(|kind| pair.of(kind).address);

    let request = case.request();
    let by_hand = send(&agent, hand, &request)?;
    let by_rulebook = send(&agent, ours, &request)?;
    if by_hand != by_rulebook || !(200..300).contains(&by_hand.0) {
        return Err(format!(
            "{}: the servers do not answer alike\nby hand:  {}, {:?}\nrulebook: {}, {:?}",
            case.title(),
            by_hand.0,
            start(&by_hand.1),
            by_rulebook.0,
            start(&by_rulebook.1)
        )
        .into());
    }

    for (request, status) in case.refused() {
        for (kind, address) in [(Kind::Hand, hand), (Kind::Rulebook, ours)] {
            let answer = send(&agent, address, &request)?;
            if answer.0 != status {
                return Err(format!(
                    "{}: {} does not refuse with {status}\nrequest: {request:?}\nanswer:  {}, {:?}",
                    case.title(),
                    kind.title(),
                    answer.0,
                    start(&answer.1)
                )
                .into());
            }
        }
    }
    Ok(())
}

/// As much of a body as is told.
fn start(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(TOLD)])
}

/// Status and body of the answer.
fn send(agent: &Agent, address: SocketAddr, request: &Request) -> Result<(u16, Vec<u8>), Box<dyn Error>> {
    let mut builder =
        http::Request::builder().method(request.method).uri(format!("http://{address}{}", request.target));
    if let Some(token) = &request.token {
        builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut response = match &request.body {
        None => agent.run(builder.body(())?)?,
        Some(body) => agent.run(builder.header(header::CONTENT_TYPE, &body.media_type).body(body.text.as_str())?)?,
    };
    Ok((response.status().as_u16(), response.body_mut().with_config().limit(LIMIT).read_to_vec()?))
}
