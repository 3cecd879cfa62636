//! The checked arguments of a call as the handler's own type.

/// The arguments of a call. `T`'s fields are named like the parameters' names in code.
///
/// A parameter that is required or has a default fills a plain field; one
/// that may be missing an `Option`. `Option<Option<_>>` tells absent (`None`)
/// from null (`Some(None)`). A file is an [`Upload`](crate::Upload).
///
/// Any type that serde can read will do: a struct with nested structs and
/// enums, a map, `()` where nothing is wanted. Whether it takes everything that
/// the definition lets pass is tried when the API is built. In a field with
/// `#[serde(flatten)]` absent and null are not told apart, and no file can stand there.
///
/// ```
/// use rulebook::{Args, Context, Refusal};
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
/// async fn save(Args(draft): Args<Draft>, _: Context) -> Result<Saved, Refusal> {
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
/// # assert_eq!(runtime.block_on(call).outputs().unwrap(), serde_json::json!({"title": "Rules", "lang": "en", "tags": 0}));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args<T>(pub T);
