//! The handlers of the API module `user`: registration, logins and profiles. Also the authentication by logins.

mod authenticate;
mod client_address;
mod client_rates;
mod failed_logins;
mod login;
mod password;
mod profile;
mod register;

use rulebook::Module;

pub(super) use authenticate::LoginAuthenticator;
pub(super) use client_rates::ClientRates;
pub(super) use failed_logins::FailedLogins;

/// Returns the handlers of the methods that `api/user.json` defines.
pub(super) fn module() -> Module {
    Module::new("user")
        .post("/user", register::register_user)
        .post("/user/login", login::log_in)
        .delete("/user/login", login::log_out)
        .get("/user/{user_id}", profile::read_profile)
        .put("/user/{user_id}", profile::update_profile)
}
