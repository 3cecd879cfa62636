//! The handlers of the API module `User`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::user::{
    GetListArguments, GetListOutputs, Handlers, HelperArguments, LoginPostArguments, LoginPostError,
    LoginPostOutputs, UploadPostArguments, UploadPostError, UploadPostOutputs,
};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers {
        login_post,
        get_list,
        upload_post,
        helper,
    }
    .into_module()
}

/// Logs a user in
async fn login_post(_: LoginPostArguments, _: Context) -> Result<LoginPostOutputs, LoginPostError> {
    Err(not_implemented("user.login.post").into())
}

/// Lists users
async fn get_list(_: GetListArguments, _: Context) -> Result<GetListOutputs, ApiError> {
    Err(not_implemented("user.getList.get"))
}

/// User.upload
async fn upload_post(
    _: UploadPostArguments,
    _: Context,
) -> Result<UploadPostOutputs, UploadPostError> {
    Err(not_implemented("user.upload.post").into())
}

/// User.helper
async fn helper(_: HelperArguments, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("user.helper.get"))
}
