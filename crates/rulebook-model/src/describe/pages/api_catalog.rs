//! Writes the list of the documents of the API (RFC 9727), with which programs find them if they know only the address
//! of the server. The URLs are relative to the path of the list, so that they are correct behind every reverse proxy.

use serde_json::json;

use super::Pages;
use super::links::{LinkContext, LinkOrigin, LinkTarget};
use crate::describe::uris::encode_base_path;

pub(super) fn write_api_catalog(pages: &Pages) -> String {
    let context =
        LinkContext { origin: LinkOrigin::WellKnown, form: super::PageForm::Html, is_for_caller: pages.is_for_caller };
    let link = |target: LinkTarget, media_type: &str| json!({ "href": target.to_url(context), "type": media_type });
    let base = encode_base_path(&pages.api.base);
    let catalog = json!({
        "linkset": [{
            "anchor": format!("..{}", if base.is_empty() { "/" } else { &*base }),
            "service-desc": [link(LinkTarget::Document("openapi.json"), "application/json")],
            "service-doc": [
                link(pages.page_link(super::PageId::Contents { part: 0 }), "text/html"),
                link(LinkTarget::Document("llms.txt"), "text/plain"),
                link(LinkTarget::Document("llms-full.txt"), "text/plain"),
            ],
            "status": [link(LinkTarget::Server("healthz"), "text/plain")],
        }]
    });
    format!("{catalog:#}\n")
}
