//! Checks that both servers respond in the same way, before their performance is measured.

use std::borrow::Cow;
use std::error::Error;
use std::net::SocketAddr;

use ureq::Agent;
use ureq::http::{self, header};

use super::server::{ServerKind, ServerPair};
use crate::cases::{Case, Request};

/// Maximum number of bytes of a response body that an error message contains.
const MAX_SHOWN_LEN: usize = 1000;
/// Maximum length of a response body in bytes.
const MAX_RESPONSE_LEN: u64 = 1 << 30;

/// Checks that both servers respond to the request of the case with the same body, and to its invalid requests with the
/// same status.
pub fn compare_responses(case: Case, pair: &ServerPair) -> Result<(), Box<dyn Error>> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let [hand, rulebook] = [ServerKind::Hand, ServerKind::Rulebook].map(|kind| pair.server(kind).address);

    let request = case.request();
    let by_hand = send_request(&agent, hand, &request)?;
    let by_rulebook = send_request(&agent, rulebook, &request)?;
    if by_hand != by_rulebook || !(200..400).contains(&by_hand.0) {
        return Err(format!(
            "{}: the responses differ\nby hand:  {}, {:?}\nrulebook: {}, {:?}",
            case.title(),
            by_hand.0,
            beginning(&by_hand.1),
            by_rulebook.0,
            beginning(&by_rulebook.1)
        )
        .into());
    }

    for (request, status) in case.invalid_requests() {
        for (kind, address) in [(ServerKind::Hand, hand), (ServerKind::Rulebook, rulebook)] {
            let response = send_request(&agent, address, &request)?;
            if response.0 != status {
                return Err(format!(
                    "{}: {} does not respond with {status}\nrequest:  {request:?}\nresponse: {}, {:?}",
                    case.title(),
                    kind.title(),
                    response.0,
                    beginning(&response.1)
                )
                .into());
            }
        }
    }
    Ok(())
}

/// Returns the beginning of a response body as text, for an error message.
fn beginning(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(MAX_SHOWN_LEN)])
}

/// Sends a request and returns the status and the body of the response.
fn send_request(agent: &Agent, address: SocketAddr, request: &Request) -> Result<(u16, Vec<u8>), Box<dyn Error>> {
    let mut builder =
        http::Request::builder().method(request.method).uri(format!("http://{address}{}", request.target));
    if let Some(token) = &request.token {
        builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if request.has_document {
        builder = builder.header(header::IF_NONE_MATCH, "*");
    }
    let mut response = match &request.body {
        None => agent.run(builder.body(())?)?,
        Some(body) => agent.run(builder.header(header::CONTENT_TYPE, &body.media_type).body(body.text.as_str())?)?,
    };
    Ok((response.status().as_u16(), response.body_mut().with_config().limit(MAX_RESPONSE_LEN).read_to_vec()?))
}
