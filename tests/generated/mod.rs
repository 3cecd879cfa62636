//! The Rust code that is generated from a definition: it is compiled with these tests, and its handlers run.

mod code;
mod handlers;

/// The generated code, which the Rust module `code` compares with the definition.
mod api {
    include!("../data/generated/api.rs");
}

/// The types for other programs, from the same definition.
mod types {
    include!("../data/generated/types.rs");
}
