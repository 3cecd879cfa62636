//! Handlers for the simple user controller in aicra's documentation.

use std::collections::BTreeMap;

use rulebook::{ApiError, Args, Context, Module};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub fn user_module() -> Module {
    Module::new("site").get("/user/{id}", get_user).post("/user", post_user)
}

#[derive(Deserialize)]
struct GetArgs {
    user_id: u32,
}

/// In aicra: `getUserData(int) map[string]string`.
async fn get_user(Args(GetArgs { user_id }): Args<GetArgs>, _: Context) -> Result<Json, ApiError> {
    let data = BTreeMap::from([("username", format!("user {user_id}")), ("firstname", "Ada".to_owned())]);
    if user_id == 7 { Ok(json!(data)) } else { Err(ApiError::declared("unknown_user")) }
}

#[derive(Deserialize)]
struct PostArgs {
    username: String,
    firstname: String,
}

/// In aicra: `storeUser(string, string) bool`.
async fn post_user(Args(args): Args<PostArgs>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({ "stored": !args.username.is_empty() && !args.firstname.is_empty() }))
}
