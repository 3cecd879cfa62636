//! Logins with passwords, for handlers of rulebook.
//!
//! [`Logins`] computes the hashes of passwords with argon2id and verifies them, and limits what one client may cost:
//! the computations that are in progress, the registrations and logins of each client address, and the logins that
//! fail. A program adds it to its [shared state](rulebook::Rulebook::state), and stores its users itself:
//!
//! ```
//! use rulebook::{ApiError, Args, Context};
//! use rulebook_login::Logins;
//!
//! async fn log_in(Args((login, password)): Args<(String, String)>, context: Context) -> Result<(), ApiError> {
//!     // The id and the hash of the password of the user with this login.
//!     let find = async { Ok(if login == "ada" { Some((7, hash_of_ada())) } else { None }) };
//!     let user = Logins::from_context(&context)?.log_in(&context, &login, password, find).await?;
//!     let Some(user_id) = user else { return Err(ApiError::declared("wrong_login")) };
//!     Ok(context.set_header("X-User", user_id)?)
//! }
//! # fn hash_of_ada() -> String { String::new() }
//! ```
//!
//! The method that logs users in must declare the errors `too_busy`, `too_many_failures` and `too_many_logins`, and the
//! method that registers users the errors `too_busy` and `too_many_registrations`. Responses with these errors have the
//! field `Retry-After`, so that 429 is a suitable status.

mod client_rate;
mod failed_logins;
mod logins;
mod password;

pub use client_rate::{ClientRate, client_network};
pub use failed_logins::{Attempt, FailedLogins};
pub use logins::Logins;
