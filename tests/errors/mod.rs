//! Error responses: messages, details, and suggestions.

mod catalogues;
mod members;
mod suggestions;
