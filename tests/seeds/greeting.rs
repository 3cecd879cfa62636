//! Handlers for the examples in PhalApi's documentation of responses: the default service, exceptions, and a login.

use rulebook::{ApiError, Args, Context, Module};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub fn greeting_modules() -> [Module; 2] {
    let default = Module::new("Default").any("/default/index", greet_visitor);
    let user = Module::new("User")
        .any("/user/sign", fail_with_wrong_sign)
        .any("/user/busy", fail_with_busy)
        .any("/user/fail", fail_internally)
        .any("/user/list", return_lists)
        .any("/user/nothing", return_no_outputs)
        .any("/user/header", set_header_twice)
        .any("/user/login", return_login);
    [default, user]
}

#[derive(Deserialize)]
struct VisitorArgs {
    username: String,
}

async fn greet_visitor(Args(VisitorArgs { username }): Args<VisitorArgs>, _: Context) -> Result<Json, ApiError> {
    let content = format!("Hi {username}, welcome to use PhalApi!");
    Ok(json!({ "title": "Hello World!", "content": content, "version": "1.3.6", "time": 1_489_910_945 }))
}

/// In PhalApi: `throw new PhalApi_Exception_BadRequest('wrong sign', 1)`.
async fn fail_with_wrong_sign(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::declared("wrong_sign").with_phalapi_code(1))
}

/// In PhalApi: `throw new PhalApi_Exception_InternalServerError('system is busy now', 2)`.
async fn fail_with_busy(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::declared("busy").with_phalapi_code(2))
}

/// In PhalApi: an exception of a class that does not extend `PhalApi_Exception`.
async fn fail_internally(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::internal("the secret reason"))
}

async fn return_lists(_: Args<()>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({
        "names": ["dogstar", "Aevit", "uwin"],
        "ages": [28, 27, 23],
        "list": [{ "name": "dogstar", "age": 28 }, { "name": "Aevit", "age": 27 }, { "name": "uwin", "age": 23 }],
        "one": { "name": "dogstar", "age": 28 }
    }))
}

async fn return_no_outputs(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

/// Sets a header field twice. The second value replaces the first value.
async fn set_header_twice(_: Args<()>, context: Context) -> Result<(), ApiError> {
    context.set_header("X-Shop", "first")?;
    context.set_header("X-Shop", "second")?;
    Ok(())
}

#[derive(Deserialize)]
struct LoginArgs {
    username: String,
    password: String,
}

async fn return_login(Args(LoginArgs { username, password }): Args<LoginArgs>, _: Context) -> Result<Json, ApiError> {
    let code = match (&*username, &*password) {
        ("dogstar", "123456") => 0,
        ("dogstar", _) => 2,
        ("uwin", _) => 3,
        _ => 1,
    };
    Ok(json!({ "code": code }))
}
