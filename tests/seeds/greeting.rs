//! The handlers for the examples in PhalApi's document on responses: the default service, exceptions, and a login.

use rulebook::{ApiError, Args, Context, Module};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub fn modules() -> [Module; 2] {
    let default = Module::new("Default").any("/default/index", index);
    let user = Module::new("User")
        .any("/user/sign", sign)
        .any("/user/busy", busy)
        .any("/user/fail", fail)
        .any("/user/list", list)
        .any("/user/nothing", nothing)
        .any("/user/header", header)
        .any("/user/login", login);
    [default, user]
}

#[derive(Deserialize)]
struct Visitor {
    username: String,
}

async fn index(Args(Visitor { username }): Args<Visitor>, _: Context) -> Result<Json, ApiError> {
    let content = format!("Hi {username}, welcome to use PhalApi!");
    Ok(json!({ "title": "Hello World!", "content": content, "version": "1.3.6", "time": 1_489_910_945 }))
}

/// `throw new PhalApi_Exception_BadRequest('wrong sign', 1)`.
async fn sign(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::declared("wrong_sign").with_phalapi_code(1))
}

/// `throw new PhalApi_Exception_InternalServerError('system is busy now', 2)`.
async fn busy(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::declared("busy").with_phalapi_code(2))
}

/// An exception that does not extend `PhalApi_Exception`.
async fn fail(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::internal("the secret reason"))
}

async fn list(_: Args<()>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({
        "names": ["dogstar", "Aevit", "uwin"],
        "ages": [28, 27, 23],
        "list": [{ "name": "dogstar", "age": 28 }, { "name": "Aevit", "age": 27 }, { "name": "uwin", "age": 23 }],
        "one": { "name": "dogstar", "age": 28 }
    }))
}

async fn nothing(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

/// Sets a header field twice; the second value replaces the first.
async fn header(_: Args<()>, context: Context) -> Result<(), ApiError> {
    context.set_header("X-Shop", "first")?;
    context.set_header("X-Shop", "second")?;
    Ok(())
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

async fn login(Args(Login { username, password }): Args<Login>, _: Context) -> Result<Json, ApiError> {
    let code = match (&*username, &*password) {
        ("dogstar", "123456") => 0,
        ("dogstar", _) => 2,
        ("uwin", _) => 3,
        _ => 1,
    };
    Ok(json!({ "code": code }))
}
