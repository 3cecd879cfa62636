//! Tests of error responses: their messages, their details, and suggestions of similar paths.

mod catalogues;
mod members;
mod phalapi_texts;
mod suggestions;
