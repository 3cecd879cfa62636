//! What a method answers that returns a file.

use serde_json::{Value as Json, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, Header, Ref, RefOr, Required, Response};

use super::answers::header;
use super::schemas::Schemas;
use crate::call::Http;
use crate::model::{Api, Method};

/// The media type of a file that may be of any.
const ANY: &str = "*/*";

/// A header field of answers, as a component that they refer to.
struct Field {
    /// Its name; the component's is that without its dashes.
    name: &'static str,
    info: &'static str,
}

const TAG: Field = Field {
    name: "ETag",
    info: "The tag of the file's content, to be told in `If-None-Match`, `If-Match` or `If-Range`",
};
const MODIFIED: Field = Field { name: "Last-Modified", info: "When the file last changed, where that is known" };
const DISPOSITION: Field =
    Field { name: "Content-Disposition", info: "What the file is called, and whether it is to be shown or kept" };
const RANGES: Field = Field {
    name: "Accept-Ranges",
    info: "`bytes`, where parts of the file can be asked for with `Range`, else `none`",
};
const PART: Field = Field {
    name: "Content-Range",
    info: "Which bytes these are, and how many the file has: `bytes 0-99/1234`; with status 416 the latter alone, `bytes */1234`",
};

/// The header fields of all answers of an API that are files.
pub(super) fn headers(api: &Api, schemas: &mut Schemas) -> Vec<(String, RefOr<Header>)> {
    let mut methods = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
    if !methods.any(|method| method.options.download) {
        return Vec::new();
    }
    let all = [TAG, MODIFIED, DISPOSITION, RANGES, PART];
    all.map(|field| (field.component(), header(field.info, schemas).into())).into()
}

impl Field {
    fn component(&self) -> String {
        self.name.replace('-', "")
    }

    fn put_into(&self, response: &mut Response) {
        let reference = Ref::new(format!("#/components/headers/{}", self.component()));
        response.headers.insert(self.name.to_owned(), RefOr::Ref(reference));
    }
}

/// An answer without a body.
fn bare(words: &str, fields: &[Field]) -> Response {
    let mut response = Response::new(words);
    fields.iter().for_each(|field| field.put_into(&mut response));
    response
}

/// The outputs of the answer that links to the file.
pub(super) fn link() -> Json {
    let link = json!({
        "type": "string",
        "format": "uri-reference",
        "description": "Where the file is to be had for a while, by whoever has the link",
    });
    json!({ "type": "object", "properties": { "link": link }, "required": ["link"] })
}

/// What else an answer of the link's media type may be.
pub(super) fn of_same_type() -> Json {
    json!({ "description": "The file, where it is of this media type" })
}

/// Gives a success the file itself, beside what else it may be.
pub(super) fn add(response: &mut Response) {
    // Without a schema: raw bytes (OpenAPI 3.1.1 section 4.14).
    response.content.insert(ANY.to_owned(), ContentBuilder::new().build().into());
    for field in [TAG, MODIFIED, DISPOSITION, RANGES] {
        field.put_into(response);
    }
}

/// The answers to conditions and ranges, none of which has a body but the part.
pub(super) fn beside(method: &Method) -> Vec<(u16, Response)> {
    if !method.options.download || method.http != Http::Get || method.options.status != 200 {
        return Vec::new();
    }
    let mut part = Response::new("The part of the file that was asked for with `Range`");
    add(&mut part);
    PART.put_into(&mut part);
    let known = "The client has the file already, as it says with `If-None-Match` or `If-Modified-Since`";
    vec![
        (206, part),
        (304, bare(known, &[TAG, MODIFIED])),
        (412, bare("The file is not the one that `If-Match` or `If-Unmodified-Since` asks for", &[TAG, MODIFIED])),
        (416, bare("The file has no such part as `Range` asks for", &[TAG, MODIFIED, PART])),
    ]
}

/// The header field that asks for a link.
pub(super) fn wanted(schemas: &mut Schemas) -> Parameter {
    let schema = json!({ "type": "string", "enum": ["XMLHttpRequest"] });
    ParameterBuilder::new()
        .name("X-Requested-With")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("With this the answer is a link to the file instead of the file"))
        .schema(Some(schemas.place(schema)))
        .build()
}
