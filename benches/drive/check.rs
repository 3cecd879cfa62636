//! Checks that both servers give the same responses before they are measured.

use std::borrow::Cow;
use std::error::Error;
use std::net::SocketAddr;

use ureq::Agent;
use ureq::http::{self, header};

use super::server::{Kind, Pair};
use crate::cases::{Case, Request};

/// Maximum number of bytes of a body that a message contains.
const SHOWN: usize = 1000;
/// Maximum length of a response in bytes.
const LIMIT: u64 = 1 << 30;

/// Checks that both servers respond to the case's request with the same bytes, and to its invalid requests with the
/// same status.
pub fn same(case: Case, pair: &Pair) -> Result<(), Box<dyn Error>> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let [hand, rulebook] = [Kind::Hand, Kind::Rulebook].map(|kind| pair.of(kind).address);

    let request = case.request();
    let by_hand = send(&agent, hand, &request)?;
    let by_rulebook = send(&agent, rulebook, &request)?;
    if by_hand != by_rulebook || !(200..300).contains(&by_hand.0) {
        return Err(format!(
            "{}: the responses differ\nby hand:  {}, {:?}\nrulebook: {}, {:?}",
            case.title(),
            by_hand.0,
            start(&by_hand.1),
            by_rulebook.0,
            start(&by_rulebook.1)
        )
        .into());
    }

    for (request, status) in case.refused() {
        for (kind, address) in [(Kind::Hand, hand), (Kind::Rulebook, rulebook)] {
            let response = send(&agent, address, &request)?;
            if response.0 != status {
                return Err(format!(
                    "{}: {} does not respond with {status}\nrequest:  {request:?}\nresponse: {}, {:?}",
                    case.title(),
                    kind.title(),
                    response.0,
                    start(&response.1)
                )
                .into());
            }
        }
    }
    Ok(())
}

/// Returns the part of a body that a message contains.
fn start(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(SHOWN)])
}

/// Sends a request and returns the status and the body of the response.
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
