//! Words that many readers and definitions use for the same thing. A search finds either of them.

/// Each phrase, with the phrase that a search also finds. A phrase of two words finds texts that contain both words, so
/// that `log in` also finds `login`, and `Logs a user in`.
const SYNONYMS: &[(&str, &str)] = &[
    ("sign in", "log in"),
    ("signin", "log in"),
    ("authenticate", "log in"),
    ("log in", "sign in"),
    ("login", "sign in"),
    ("login", "log in"),
    ("sign out", "log out"),
    ("signout", "log out"),
    ("log out", "sign out"),
    ("logout", "sign out"),
    ("logout", "log out"),
    ("sign up", "register"),
    ("signup", "register"),
    ("create account", "register"),
    ("register", "sign up"),
    ("delete", "remove"),
    ("remove", "delete"),
    ("edit", "update"),
    ("edit", "change"),
    ("modify", "change"),
    ("update", "change"),
    ("add", "create"),
    ("new", "create"),
    ("find", "search"),
    ("image", "picture"),
    ("photo", "picture"),
    ("avatar", "picture"),
    ("picture", "image"),
    ("upload", "file"),
    ("attachment", "file"),
    ("auth", "log in"),
    ("auth", "token"),
    ("authentication", "log in"),
    ("authorization", "permission"),
    ("api key", "token"),
    ("account", "user"),
    ("pagination", "page"),
    ("paginate", "page"),
    ("paging", "page"),
    ("sort", "order"),
    ("sorting", "order"),
    ("filter", "search"),
    ("fetch", "return"),
    ("get all", "list"),
    ("rate limit", "too many requests"),
    ("rate limits", "too many requests"),
    ("rate limiting", "too many requests"),
    ("throttle", "too many requests"),
    ("throttling", "too many requests"),
    ("quota", "too many requests"),
];

/// Returns the words of a query in lower case, and the same words with one phrase replaced by its synonym.
pub(super) fn with_synonyms(words: &[String]) -> Vec<Vec<String>> {
    let replaced = SYNONYMS.iter().filter_map(|(phrase, other)| {
        let phrase: Vec<_> = phrase.split(' ').collect();
        let at = words.windows(phrase.len()).position(|part| part == phrase)?;
        let (before, after) = (&words[..at], &words[at + phrase.len()..]);
        Some([before, &other.split(' ').map(str::to_owned).collect::<Vec<_>>(), after].concat())
    });
    [words.to_vec()].into_iter().chain(replaced).collect()
}
