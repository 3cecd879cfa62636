//! Handlers with `raw`, which send requests and responses on as they are. Addresses of the upstream in responses are
//! replaced by paths of the API, so that clients can follow them and do not see the address of the upstream.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::header::{self, CONTENT_LOCATION, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, REFRESH};
use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;
use rulebook::handler_kind::{ArgumentSlots, HandledMethod, RawResponse};
use rulebook::model::{Location, Parameter};
use rulebook::{ApiError, AuthScheme, Context, Head};
use rulebook_model::call::is_secret_name;

use super::address::{Origin, Template, has_dot_segment};
use super::exchange::{Outgoing, RequestContent, UpstreamResponse};
use super::fields::{
    FieldRules, HOP_BY_HOP, is_named_by_connection, is_reserved, is_unambiguous, is_untrusted, lists_name,
};
use super::handler::{BodyForm, HandlerPlan, Place, Placement, encode_body};

const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The name with which this server appears in the field `Via` (RFC 9110 section 7.6.3).
const VIA: HeaderValue = HeaderValue::from_static("1.1 rulebook");

/// How requests are sent on.
#[derive(Debug)]
pub struct RawRules {
    /// `true` if the address has no path, so that requests keep theirs.
    keeps_path: bool,
    /// The header fields with credentials for this server.
    credentials: Vec<HeaderName>,
    /// The names of the parameters in requests, for forms with files.
    request_names: Vec<Box<str>>,
    /// The parameters that are in a body with files.
    files: Placement,
}

impl RawRules {
    /// Returns the rules for a method. `keeps_path` is `true` if its address has no path.
    pub fn new(handled: &HandledMethod<'_>, keeps_path: bool) -> Self {
        let schemes = handled.api.auth_schemes.iter().filter_map(|scheme| match scheme {
            AuthScheme::Header(name) => HeaderName::from_bytes(name.as_bytes()).ok(),
            _ => None,
        });
        let parameters = &handled.method.parameters;
        let place = |from| match from {
            Location::Body | Location::Any => Place::Body,
            Location::WholeBody => Place::WholeBody,
            _ => Place::Address,
        };
        let is_file = parameters.iter().any(Parameter::is_raw_body);
        let places = parameters.iter().map(|parameter| place(parameter.from)).collect();
        Self {
            keeps_path,
            credentials: schemes.chain([header::AUTHORIZATION, header::COOKIE]).collect(),
            request_names: parameters.iter().map(|parameter| parameter.request_name().into()).collect(),
            files: Placement { places, body: if is_file { BodyForm::Whole } else { BodyForm::Multipart } },
        }
    }

    /// Fails if the call does not come from a request, or the request cannot be sent on.
    pub fn outgoing(
        &self,
        plan: &HandlerPlan,
        arguments: ArgumentSlots<'_, '_>,
        context: &Context,
    ) -> Result<Outgoing, ApiError> {
        let Some(head) = context.head() else {
            return Err(ApiError::internal("a call from code has no request that can be sent on"));
        };
        let target = self.target(&plan.template, &arguments, head)?;
        let mut fields = self.fields(head, &plan.fields);
        let content = match context.body() {
            Some(body) => RequestContent::Bytes(body.clone()),
            None if is_multipart(head) || self.files.body == BodyForm::Whole => {
                let (content, media_type) =
                    encode_body(&self.files, &ArgumentSlots { names: &self.request_names, values: arguments.values })?;
                // It replaces the type of the client's form, whose boundary is another one; `extend` would add it.
                if let Some(media_type) = media_type {
                    fields.insert(header::CONTENT_TYPE, media_type);
                }
                content
            }
            None => {
                fields.remove(header::CONTENT_TYPE);
                RequestContent::Bytes(Bytes::new())
            }
        };
        fields.insert(header::HOST, plan.upstream.host.clone());
        fields.append(header::VIA, VIA);
        if let Some(client) = head.client.and_then(|client| HeaderValue::try_from(client.to_string()).ok()) {
            fields.insert(CLIENT_ADDRESS, client);
        }
        plan.fields.write(&mut fields, context);
        let method = if head.method == rulebook::http::Method::HEAD { Method::HEAD } else { plan.method.clone() };
        Ok(Outgoing { method, target, fields, content })
    }

    fn target(&self, template: &Template, arguments: &ArgumentSlots<'_, '_>, head: &Head) -> Result<Uri, ApiError> {
        let mut target = if self.keeps_path {
            let path = head.uri.path();
            if has_dot_segment(&percent_decode_str(path).decode_utf8_lossy()) {
                return Err(ApiError::unknown_service());
            }
            let mut target = path.to_owned();
            template.expand_query(&arguments.values, &mut target)?;
            target
        } else {
            template.expand(&arguments.values)?
        };
        if let Some(query) = head.uri.query() {
            target.push(if template.query.is_some() { '&' } else { '?' });
            target.push_str(query);
        }
        Uri::try_from(target).map_err(ApiError::internal)
    }

    /// Returns the header fields of the request that concern the upstream. Credentials are for this server, the fields
    /// of proxies are not trusted, and a name that some servers take for another one could be that of such a field.
    fn fields(&self, head: &Head, rules: &FieldRules) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(head.headers.len() + 4);
        for (name, value) in &head.headers {
            let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes()) else { continue };
            let is_credential = self.credentials.contains(&name) || is_secret_name(name.as_str());
            let is_kept = !is_reserved(&name)
                && !is_untrusted(&name)
                && (is_unambiguous(&name) && !is_credential || rules.forward.contains(&name))
                && !is_named_by_connection(head, &name);
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
                && is_kept
            {
                fields.append(name, value);
            }
        }
        fields
    }
}

fn is_multipart(head: &Head) -> bool {
    let media_type = head.header("content-type").unwrap_or_default().trim_start();
    media_type.get(.."multipart/".len()).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

/// Returns the response of the upstream for the client, without the header fields of the connection to the upstream,
/// and with paths of the API instead of the address of the upstream. `is_head` is `true` for the response to a HEAD
/// request, which has the length of a body that is not sent.
/// Fails if the status is not from 200 to 599.
pub fn to_raw_response(
    received: UpstreamResponse,
    sent: &SentRequest,
    is_head: bool,
    plan: &HandlerPlan,
) -> Result<RawResponse, rulebook::ResponseError> {
    let (origin, UpstreamResponse { head, body }) = (&plan.upstream.origin, received);
    let announced = || head.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    let length = if is_head { announced() } else { body.length() };
    let response =
        RawResponse::new(head.status.as_u16(), body.into_stream(origin.clone(), plan.limits.timeout), length)?;
    let named = head.headers.get_all(header::CONNECTION);
    let is_kept =
        |name: &HeaderName| !HOP_BY_HOP.contains(name) && !named.iter().any(|list| lists_name(list.as_bytes(), name));
    let fields = head.headers.iter().filter(|(name, _)| is_kept(name)).filter_map(|(name, value)| {
        let value = sent.public_value(name, value, origin);
        let name = rulebook::http::HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, rulebook::http::HeaderValue::from_bytes(&value).ok()?))
    });
    Ok(fields.fold(response, |response, (name, value)| response.header(name, value)))
}

/// A request that was sent on, and the upstream that received it.
#[derive(Debug)]
pub struct SentRequest {
    /// The target of the request of the client.
    public: rulebook::http::Uri,
    /// The target of the request to the upstream.
    target: Uri,
    /// The value of the header field `Host` of the request to the upstream.
    host: Option<HeaderValue>,
}

impl SentRequest {
    pub fn new(head: &Head, outgoing: &Outgoing) -> Self {
        let host = outgoing.fields.get(HOST).cloned();
        Self { public: head.uri.clone(), target: outgoing.target.clone(), host }
    }

    /// Returns the value of a header field of the response for the client.
    pub fn public_value<'v>(&self, name: &HeaderName, value: &'v HeaderValue, origin: &Origin) -> Cow<'v, [u8]> {
        let text = std::str::from_utf8(value.as_bytes()).ok();
        let public = if *name == LOCATION || *name == CONTENT_LOCATION {
            text.and_then(|text| self.public_path(text, origin))
        } else if *name == REFRESH {
            text.and_then(|text| self.public_refresh(text, origin))
        } else {
            None
        };
        public.map_or(Cow::Borrowed(value.as_bytes()), |public| Cow::Owned(public.into_bytes()))
    }

    /// Returns the value of `Refresh`, such as `5; url=http://127.0.0.1:9000/a`, with a path of the API; `None` if it
    /// does not contain an address of the upstream.
    fn public_refresh(&self, value: &str, origin: &Origin) -> Option<String> {
        let start = value.to_ascii_lowercase().find("url=")? + "url=".len();
        let (before, url) = value.split_at(start);
        let quote = url.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (url, after) = match quote {
            Some(quote) => url[1..].split_once(quote)?,
            None => (url, ""),
        };
        let quote = quote.map(String::from).unwrap_or_default();
        Some(format!("{before}{quote}{}{quote}{after}", self.public_path(url, origin)?))
    }

    /// Returns the path of the API for a URL of the upstream; `None` if the URL is another one, or leads to a path of
    /// the upstream that belongs to no path of the API.
    fn public_path(&self, url: &str, origin: &Origin) -> Option<String> {
        // Browsers remove tabs from URLs before they parse them.
        if url.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return None;
        }
        let (scheme, rest) = url.split_once("//")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let is_host = self.host.as_ref().is_some_and(|host| authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()));
        let is_web = scheme.is_empty() || scheme.eq_ignore_ascii_case("http:") || scheme.eq_ignore_ascii_case("https:");
        if !(is_web && is_host || origin.has_address(scheme, authority)) {
            return None;
        }
        let (upstream_prefix, public_prefix) = self.prefixes();
        let rest =
            path.strip_prefix(upstream_prefix).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))?;
        let path = format!("{public_prefix}{rest}");
        // A path that begins with two slashes would be the name of a host.
        Some(match path.as_bytes() {
            [b'/', b'/' | b'\\', ..] => format!("/.{path}"),
            [b'/', ..] => path,
            _ => format!("/{path}"),
        })
    }

    /// Returns the prefixes in which the paths of the upstream and of the API differ: the paths of the request, without
    /// the segments at their end that are equal, and without a slash at the end.
    fn prefixes(&self) -> (&str, &str) {
        let (mut upstream, mut public) = (self.target.path(), self.public.path());
        while let (Some((before_upstream, last_upstream)), Some((before_public, last_public))) =
            (upstream.rsplit_once('/'), public.rsplit_once('/'))
        {
            if last_upstream != last_public {
                break;
            }
            (upstream, public) = (before_upstream, before_public);
        }
        (upstream.trim_end_matches('/'), public.trim_end_matches('/'))
    }
}
