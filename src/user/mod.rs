//! The module `user`: registration, logins and profiles, and authentication by logins.

mod authenticate;
mod login;
mod password;
mod profile;
mod register;

use rulebook::Module;

pub(super) use authenticate::LoginAuthenticator;

/// Returns the handlers of the methods that `api/user.json` defines.
pub(super) fn module() -> Module {
    Module::new("user")
        .post("/user", register::register)
        .post("/user/login", login::login)
        .delete("/user/login", login::logout)
        .get("/user/{user_id}", profile::read)
        .put("/user/{user_id}", profile::update)
}
