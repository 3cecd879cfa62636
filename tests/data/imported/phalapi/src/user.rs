//! The handlers of the API module `User`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module, Upload};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("User")
        .post("/user/login", login)
        .any("/user/getList", get_list)
        .post("/user/upload", upload)
}

/// The arguments of `/user/login`.
#[derive(Deserialize)]
struct LoginArgs {
    /// The signature of the request
    sign: String,
    version: String,
    code: String,
    username: String,
    password: String,
    #[serde(rename = "isRememberMe")]
    is_remember_me: bool,
}

/// The outputs of `/user/login`.
#[derive(Serialize)]
struct LoginOutput {
    /// 0 if the login succeeded
    code: i64,
    /// The user
    info: Map<String, Value>,
}

/// Logs a user in
async fn login(Args(_): Args<LoginArgs>, _: Context) -> Result<LoginOutput, ApiError> {
    Err(not_implemented("user.login.post"))
}

/// The arguments of `/user/getList`.
#[derive(Deserialize)]
struct GetListArgs {
    /// The signature of the request
    sign: String,
    version: String,
    code: String,
    ids: Option<Value>,
    sex: String,
    mail: Option<String>,
    #[serde(rename = "appVersion")]
    app_version: Option<Value>,
    page: i64,
}

/// The outputs of `/user/getList`.
#[derive(Serialize)]
struct GetListOutput {
    /// The users
    list: Vec<Map<String, Value>>,
}

/// Lists users
async fn get_list(Args(_): Args<GetListArgs>, _: Context) -> Result<GetListOutput, ApiError> {
    Err(not_implemented("user.getList.get"))
}

/// The arguments of `/user/upload`.
#[derive(Deserialize)]
struct UploadArgs {
    /// The signature of the request
    sign: String,
    version: String,
    code: String,
    file: Upload,
}

/// User.upload
async fn upload(Args(_): Args<UploadArgs>, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("user.upload.post"))
}
