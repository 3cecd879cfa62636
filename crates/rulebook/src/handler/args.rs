//! [`Args`]: the checked arguments of a call, as the first parameter of a handler.

/// The checked arguments of a call, deserialized into a type `T` of the program. Each field of `T` has the name that
/// the definition gives the parameter in code.
///
/// A parameter that is required or has a default value needs a field of a plain type, such as `String`. An optional
/// parameter needs an `Option`. A field of type `Option<Option<_>>` distinguishes a parameter that the request omits
/// (`None`) from one with the value null (`Some(None)`). A file is an [`Upload`](crate::Upload).
///
/// `T` is any type that implements `serde::Deserialize`: a struct with nested structs and enums, a map, or `()` for a
/// handler that needs no arguments. When the engine is built, it tests that `T` accepts every value that the definition
/// allows. Fields with `#[serde(flatten)]` cannot distinguish an omitted parameter from null, and cannot contain files.
///
/// ```
/// use rulebook::{Args, Context, ApiError};
/// use serde::{Deserialize, Serialize};
///
/// /// "title": string(1,80), "lang": enum(en|fr) with a default, "tags": ?array<string>
/// #[derive(Deserialize)]
/// struct Draft {
///     title: String,
///     lang: Lang,
///     tags: Option<Vec<String>>,
/// }
///
/// #[derive(Deserialize, Serialize)]
/// #[serde(rename_all = "lowercase")]
/// enum Lang {
///     En,
///     Fr,
/// }
///
/// #[derive(Serialize)]
/// struct Saved {
///     title: String,
///     lang: Lang,
///     tags: usize,
/// }
///
/// async fn save(Args(draft): Args<Draft>, _: Context) -> Result<Saved, ApiError> {
///     Ok(Saved { title: draft.title, lang: draft.lang, tags: draft.tags.map_or(0, |tags| tags.len()) })
/// }
/// # let text = r#"{"/": {"draft": {"POST": {"info": "Saves a draft", "in": {
/// #     "title": {"info": "Its title", "type": "string(1,80)"},
/// #     "lang": {"info": "Its language", "type": "enum(en|fr)", "default": "en"},
/// #     "tags": {"info": "Its tags", "type": "?array<string>"}}}}}}"#;
/// # let files = vec![("article.json".into(), text.into())];
/// # let module = rulebook::Module::new("article").post("/draft", save);
/// # let engine = rulebook::Rulebook::read(files).module(module).build().unwrap();
/// # let call = engine.call("draft.post").arg("title", "Rules").send();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let outputs = runtime.block_on(call).outputs().unwrap();
/// # assert_eq!(outputs, serde_json::json!({"title": "Rules", "lang": "en", "tags": 0}));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args<T>(pub T);
