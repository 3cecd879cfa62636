//! The kind of handler `fastcgi`: methods of an API that PHP handles, in php-fpm or another FastCGI server.
//!
//! A definition chooses the handler of a method, or of all methods, with `handler` and `handlers`:
//!
//! ```json
//! { "handlers": {
//!     "default": { "fastcgi": "unix:/run/php/php-fpm.sock" },
//!     "fastcgi": { "root": "/srv/app", "script": "public/index.php", "style": "phalapi" }
//! } }
//! ```
//!
//! PHP is called only after the permissions and the arguments of a request have been checked. What it returns is
//! compared with the definition. Only existing projects, whose clients rely on it, may return something else.
//!
//! The protocol FastCGI 1.0 is implemented in the module `protocol`. The published clients for it send a whole request
//! before they read any byte of the response, which can wait forever if the server writes first, and they do not limit
//! what a server sends, or detect that it sends something else than a response to this request.

mod kind;
mod protocol;
mod request;
mod response;
mod service;
mod settings;

pub use kind::FastCgiKind;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
