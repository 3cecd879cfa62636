//! The messages of the catalogues of PhalApi, compared with the texts of its versions.

use rulebook::ApiError;
use rulebook::HttpMethod;
use rulebook::error::{
    AllowedMethods, CatalogueName, ErrorKind, ParameterError, ParameterErrorKind, ServiceNameError, Source,
};
use rulebook::types::{Measure, Violation};
use serde_json::Value;

/// All catalogues, each with its column in the table of [`messages_have_the_texts_of_phalapi`].
pub const CATALOGUES: [(CatalogueName, usize); 11] = [
    (CatalogueName::PhalApi1, 0),
    (CatalogueName::PhalApi1_1, 1),
    (CatalogueName::PhalApi1_4, 1),
    (CatalogueName::PhalApi2_0, 1),
    (CatalogueName::PhalApi2_3, 1),
    (CatalogueName::PhalApi2, 1),
    (CatalogueName::PhalApi1_1Chinese, 2),
    (CatalogueName::PhalApi1_4Chinese, 3),
    (CatalogueName::PhalApi2_0Chinese, 3),
    (CatalogueName::PhalApi2_3Chinese, 3),
    (CatalogueName::PhalApi2Chinese, 3),
];

#[test]
fn every_catalogue_is_in_the_schema_of_definitions() {
    let schema: Value = serde_json::from_str(include_str!("../../schema/definition.json")).unwrap();
    let names: Vec<Value> = CATALOGUES.iter().map(|(name, _)| serde_json::to_value(name).unwrap()).collect();
    let catalogue = schema["$defs"]["settings"]["properties"]["catalogue"].clone();
    assert_eq!(catalogue["anyOf"][0]["enum"], Value::from(names), "{catalogue}");
}

/// The texts are those of PhalApi's document, of the program in English, of `language/zh_cn` in PhalApi 1.3, and of
/// `language/zh_cn` in PhalApi 2.23, with PhalApi's texts around them.
#[test]
fn messages_have_the_texts_of_phalapi() {
    let invalid = |violation: Violation| {
        let mut error =
            ParameterError::new(ParameterErrorKind::Invalid, "p", Source::Query, "x").with_got(Some("9".into()));
        error.violation = Some(Box::new(violation));
        ApiError::parameters(vec![error])
    };
    let bounds = |measure, got| invalid(Violation::of_bounds(measure, Some(1), Some(5), got).unwrap());
    let missing = ParameterError::new(ParameterErrorKind::Missing, "p", Source::Query, "x");
    let allowed = Violation::NotAllowed { allowed: "a/b".to_owned(), got: "c".to_owned() };
    let unsupported = ErrorKind::UnknownMethod { allowed: AllowedMethods(vec![HttpMethod::Post]) };
    let named = |error| ApiError::new(ErrorKind::InvalidServiceName { name: "App.A.b".to_owned(), error });
    let cases: [(ApiError, [&str; 4]); 20] = [
        (
            bounds(Measure::Value, 0),
            [
                "Illegal Param: p should >= 1, but now p = 0",
                "Bad Request: p should >= 1, but now p = 0",
                "非法请求：p应该大于或等于1, 但现在p = 0",
                "非法请求：p应该大于或等于1, 但现在p = 0",
            ],
        ),
        (
            bounds(Measure::Value, 9),
            [
                "Illegal Param: p should <= 5, but now p = 9",
                "Bad Request: p should <= 5, but now p = 9",
                "非法请求：p should <= 5, but now p = 9",
                "非法请求：p应该小于等于5, 但现在p = 9",
            ],
        ),
        (
            bounds(Measure::Length, 9),
            [
                "Illegal Param: p.len should <= 5, but now p.len = 9",
                "Bad Request: p.len should <= 5, but now p.len = 9",
                "非法请求：p.len should <= 5, but now p.len = 9",
                "非法请求：p.len应该小于等于5, 但现在p.len = 9",
            ],
        ),
        (
            bounds(Measure::Count, 9),
            [
                "Illegal Param: p should <= 5, but now p = 9",
                "Bad Request: p should <= 5, but now p = 9",
                "非法请求：p should <= 5, but now p = 9",
                "非法请求：p应该小于等于5, 但现在p = 9",
            ],
        ),
        (
            bounds(Measure::Size, 0),
            [
                "Illegal Param: p.size should >= 1, but now p.size = 0",
                "Bad Request: p.size should >= 1, but now p.size = 0",
                "非法请求：p.size应该大于或等于1, 但现在p.size = 0",
                "非法请求：p.size应该大于或等于1, 但现在p.size = 0",
            ],
        ),
        (
            bounds(Measure::Size, 9),
            [
                "Illegal Param: p.size should <= 5, but now p.size = 9",
                "Bad Request: p.size should <= 5, but now p.size = 9",
                "非法请求：p.size should <= 5, but now p.size = 9",
                "非法请求：p.size应该小于等于5, 但现在p.size = 9",
            ],
        ),
        (
            ApiError::too_large(rulebook_model::call::Limit::file(5), Some("p")),
            [
                "Illegal Param: p.size should <= 5",
                "Bad Request: p.size should <= 5",
                "非法请求：p.size should <= 5",
                "非法请求：p.size应该小于等于5",
            ],
        ),
        (
            invalid(allowed),
            [
                "Illegal Param: p should be in a/b, but now p = c",
                "Bad Request: p should be in a/b, but now p = c",
                "非法请求：参数p应该为：a/b，但现在p = c",
                "非法请求：参数p应该为：a/b，但现在p = c",
            ],
        ),
        (
            ApiError::parameters(vec![missing]),
            [
                "Illegal Param: wrong param: p",
                "Bad Request: p require, but miss",
                "非法请求：缺少必要参数p",
                "非法请求：缺少必要参数p",
            ],
        ),
        (
            invalid(Violation::MissingFile),
            [
                "Illegal Param: miss upload file: p",
                "Bad Request: miss upload file: p",
                "非法请求：缺少上传文件：p",
                "非法请求：缺少上传文件：p",
            ],
        ),
        (
            invalid(Violation::FileExtension("[\"png\"]".to_owned())),
            [
                "Illegal Param: Not the file type [\"png\"]",
                "Bad Request: Not the file type [\"png\"]",
                "非法请求：上传失败不是文件类型 [\"png\"]",
                "非法请求：上传失败不是文件类型 [\"png\"]",
            ],
        ),
        (
            invalid(Violation::Json),
            [
                "Illegal Param: p illegal json data",
                "Bad Request: p illegal json data",
                "非法请求：参数p的JSON数据格式错误",
                "非法请求：参数p的JSON数据格式错误",
            ],
        ),
        (
            invalid(Violation::Pattern),
            [
                "Illegal Param: p can not match #regex",
                "Bad Request: p can not match #regex",
                "非法请求：p can not match #regex",
                "非法请求：p无法匹配#regex",
            ],
        ),
        (
            ApiError::new(unsupported),
            [
                "Bad Request: request method not allowed, only POST",
                "Bad Request: request method not allowed, only POST",
                "非法请求：请求方式错误，仅支持：POST",
                "非法请求：请求方式错误，仅支持：POST",
            ],
        ),
        (
            named(ServiceNameError::Illegal),
            [
                "Bad Request: service (App.A.b) illegal",
                "Bad Request: service (App.A.b) illegal",
                "非法请求：非法服务：App.A.b",
                "非法请求：非法服务：App.A.b",
            ],
        ),
        (
            named(ServiceNameError::Unknown),
            [
                "Bad Request: no such service as App.A.b",
                "Bad Request: no such service as App.A.b",
                "非法请求：接口服务App.A.b不存在",
                "非法请求：接口服务App.A.b不存在",
            ],
        ),
        (
            ApiError::declared("wrong_sign").with_message("wrong sign"),
            ["Bad Request: wrong sign", "Bad Request: wrong sign", "非法请求：wrong sign", "非法请求：wrong sign"],
        ),
        (ApiError::redirect("moved", "/p"), ["Redirect: /p", "Redirect: /p", "Redirect: /p", "重定向：/p"]),
        (
            ApiError::unavailable("x"),
            [
                "Interal Server Error: try again later",
                "Interal Server Error: try again later",
                "服务器运行错误: 请稍后重试",
                "服务器运行错误: 请稍后重试",
            ],
        ),
        (
            ApiError::new(ErrorKind::Internal { request_id: "7".to_owned() }),
            [
                "Interal Server Error: the log has the reason under 7",
                "Interal Server Error: the log has the reason under 7",
                "服务器运行错误: 原因见日志 7",
                "服务器运行错误: 原因见日志 7",
            ],
        ),
    ];
    for (error, texts) in cases {
        for (name, column) in CATALOGUES {
            assert_eq!(error.message(name), texts[column], "{name:?}");
        }
    }
}
