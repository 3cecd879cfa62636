//! The handlers of the API module `user`: registration, logins and profiles. Also the authentication by logins.

mod authenticate;
mod login;
mod profile;
mod register;

use rulebook::Module;

pub(super) use authenticate::LoginAuthenticator;

use super::api::user::Handlers;

/// Returns the handlers of the methods that `api/user.json` defines.
pub(super) fn module() -> Module {
    let handlers = Handlers {
        register: register::register_user,
        login: login::log_in,
        logout: login::log_out,
        read: profile::read_profile,
        update: profile::update_profile,
    };
    handlers.into_module()
}
