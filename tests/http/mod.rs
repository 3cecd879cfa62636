//! What requests answer, asked over a socket, a file a behaviour.

mod decoding;
mod envelopes;
mod extraction;
mod permission;
mod presence;
mod random;
mod recorded;
mod routing;
