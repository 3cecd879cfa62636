//! The module `user`: registration, logins and profiles, and whose login a request carries.

mod login;
mod logins;
mod password;
mod profile;
mod register;

use rulebook::Module;

pub(super) use logins::Logins;

/// Its handlers, as `api/user.json` defines their methods.
pub(super) fn module() -> Module {
    Module::new("user")
        .post("/user", register::register)
        .post("/user/login", login::login)
        .delete("/user/login", login::logout)
        .get("/user/{user_id}", profile::read)
        .put("/user/{user_id}", profile::update)
}
