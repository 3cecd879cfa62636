//! The keys of the settings, in `app.json` or at the top level of a file that holds a whole API.

use super::{KeyTable, MODULE, ValueKind, key, required, table};

/// The settings in `app.json`, and the top level of a file that holds a whole API.
pub static APP: KeyTable = table(
    "the settings",
    &[
        key("title", ValueKind::String, "The name of the API."),
        key("version", ValueKind::String, "The version of the API."),
        key("info", ValueKind::String, "A description of the API, in Markdown."),
        key("contact", ValueKind::Object(&CONTACT), "The people to contact about the API."),
        key("license", ValueKind::Object(&LICENSE), "The license of the API."),
        key("servers", ValueKind::Objects(&SERVER), "The servers that the documents name."),
        key("base", ValueKind::String, "The path prefix of all services."),
        key("envelope", ValueKind::String, "The envelope of modules that do not set one."),
        key(
            "catalogue",
            ValueKind::String,
            "The catalogue of error messages in the `phalapi` envelope: `1.x`, `2.x` or `zh`.",
        ),
        key("phalapi", ValueKind::Object(&PHALAPI), "Settings of the `phalapi` envelope."),
        key("iapi", ValueKind::Object(&IAPI), "Settings of the `iapi` envelope."),
        key(
            "common",
            ValueKind::CommonParameters,
            "Parameters that every method has, in the dialect `tree` or as rules.",
        ),
        key("unknown", ValueKind::String, "What happens to parameters that the method does not define."),
        key("timezone", ValueKind::String, "The time zone of dates and times that are sent without one."),
        key("types", ValueKind::Object(&TYPES), "Settings of the types."),
        key("limits", ValueKind::Object(&LIMITS), "Limits of requests."),
        key("unbound", ValueKind::String, "What happens to methods without a handler."),
        key("bind", ValueKind::String, "The address to listen on, as `address:port`."),
        key("data", ValueKind::String, "The folder for the server's internal data."),
        key("files", ValueKind::String, "The folder for stored files, if the program stores any."),
        key("workers", ValueKind::Integer, "The number of worker threads."),
        key("log", ValueKind::String, "The log filter: a level, or levels by module."),
        key("log_format", ValueKind::String, "The format of the log."),
        key("compress", ValueKind::Bool, "Whether responses are compressed for clients that accept it."),
        key("cors", ValueKind::Object(&CORS), "Settings for browsers on other origins (CORS)."),
        key("modules", ValueKind::ObjectsByName(&MODULE), "The modules of a whole API, by name."),
        key("formats", ValueKind::Strings, "The response formats besides JSON, such as `xml`."),
        key(
            "jsonp",
            ValueKind::Bool,
            "Whether public GET methods respond with JSONP on request, unless a method sets otherwise.",
        ),
        key("service", ValueKind::Object(&SERVICE), "Settings for `?service=Class.method` at the base path (PhalApi)."),
        key(
            "dispatch",
            ValueKind::Bool,
            "Whether the base path accepts a body that names module and method (api 3.0).",
        ),
        key(
            "options",
            ValueKind::String,
            "Which methods the documents list: `public`, all of them; `own`, those that the caller may call.",
        ),
    ],
);

/// `contact` of the settings.
pub static CONTACT: KeyTable = table(
    "a contact",
    &[
        key("name", ValueKind::String, "The name of a person or an organization."),
        key("url", ValueKind::String, "The URL of a contact page."),
        key("email", ValueKind::String, "An email address."),
    ],
);

/// `license` of the settings.
pub static LICENSE: KeyTable = table(
    "a license",
    &[
        required("name", ValueKind::String, "The name of the license."),
        key("identifier", ValueKind::String, "The SPDX expression of the license."),
        key("url", ValueKind::String, "The URL of the license text."),
    ],
);

/// An item of `servers` of the settings.
pub static SERVER: KeyTable = table(
    "a server",
    &[
        required("url", ValueKind::String, "The base URL, to which paths are appended."),
        key("info", ValueKind::String, "A description of the server."),
    ],
);

/// `cors` of the settings.
pub static CORS: KeyTable = table(
    "the CORS settings",
    &[
        required("origins", ValueKind::Strings, "The origins whose pages may call the API, or `*` for all."),
        key("credentials", ValueKind::Bool, "Whether browsers may send credentials, such as cookies."),
        key("headers", ValueKind::Strings, "Additional request headers that pages may send."),
        key("expose", ValueKind::Strings, "Additional response headers that pages may read."),
        key(
            "max_age",
            ValueKind::Integer,
            "How many seconds browsers may cache the response to a preflight request; 600 by default.",
        ),
    ],
);

/// `service` of the settings.
pub static SERVICE: KeyTable = table(
    "the settings of `service`",
    &[
        key("on", ValueKind::Bool, "Whether the query parameters `service` and `s` select a method."),
        key("default", ValueKind::String, "The service for requests that name none, as `Class.method`."),
    ],
);

/// `phalapi` of the settings.
pub static PHALAPI: KeyTable = table(
    "the settings of the `phalapi` envelope",
    &[key("real_status", ValueKind::Bool, "Whether responses have their own HTTP status, instead of always 200.")],
);

/// `iapi` of the settings.
pub static IAPI: KeyTable = table(
    "the settings of the `iapi` envelope",
    &[key("strict_status", ValueKind::Bool, "Whether errors have their own HTTP status, instead of 400.")],
);

/// `types` of the settings.
pub static TYPES: KeyTable =
    table("the settings of the types", &[key("default", ValueKind::Bool, "Whether the built-in types are available.")]);

/// `limits` of the settings.
pub static LIMITS: KeyTable = table(
    "the limits",
    &[
        key("head", ValueKind::Integer, "Bytes of all request headers together."),
        key("uri", ValueKind::Integer, "Bytes of the request target."),
        key("body", ValueKind::Integer, "Bytes of a request body, except a multipart body."),
        key(
            "multipart",
            ValueKind::Integer,
            "Bytes of a multipart body; more if the file parameters of the method allow more.",
        ),
        key(
            "part",
            ValueKind::Integer,
            "Bytes of one part of a multipart body, except a file whose parameter sets `max`.",
        ),
        key(
            "parts",
            ValueKind::Integer,
            "Number of parts of a multipart body; more if the parameters of the method need more.",
        ),
        key("fields", ValueKind::Integer, "Number of fields in a query or a body."),
        key("nesting", ValueKind::Integer, "Levels of arrays and objects in JSON, at most 126."),
        key("items", ValueKind::Integer, "Number of items of an array and of members of an object in JSON."),
        key(
            "seconds",
            ValueKind::Integer,
            "Seconds to receive a request body; a multipart body gets one more for each 16 KiB received.",
        ),
        key(
            "dispatch",
            ValueKind::Integer,
            "Bytes of a body that the server reads to find the names of module and method.",
        ),
        key("link", ValueKind::Integer, "Seconds for which a download link is valid, at most 31536000."),
        key("links", ValueKind::Integer, "Bytes of all files that download links point to, together."),
    ],
);
