//! Tests of the search in the documentation pages.

use serde_json::{Value, json};

use super::{body_text, get_page, page_content};
use crate::client::TestServer;

fn texts_module() -> Value {
    let lang = json!({ "info": "In which tongue", "type": "?string", "name": "tongue" });
    json!({ "info": "Texts and more", "/": {
        "article": {
            "GET": { "info": "Articles", "in": { "GET@lang": lang } },
            "POST": { "info": "A new one", "scope": [["writer"]] },
            "/": { "line": { "GET": { "info": "Lines of an article" } } }
        },
        "Größe": { "GET": { "info": "How LARGE it is", "errors": { "too_big": { "status": 404, "info": "Huge" } } } }
    } })
}

/// Returns the ids of the methods that a search finds, in the order of the page. Asserts that the HTML page and the
/// markdown page list the same methods.
fn found_method_ids(server: &TestServer, query: &str) -> Vec<String> {
    let html = body_text(&get_page(server, &format!("/docs/search?{query}")));
    let markdown = body_text(&get_page(server, &format!("/docs/search.md?{query}")));
    // Suggestions do not contain all words, and a link to a parameter has a fragment.
    let html = page_content(&html).split("<h2 id=\"suggestions\"").next().unwrap();
    let markdown = markdown.split("\n## Methods with some of the words\n").next().unwrap();
    let links = |page: &str, start: &str, end: char| {
        let targets = page.split(start).skip(1).map(|behind| behind.split(end).next().unwrap().to_owned());
        targets.filter(|target| !target.contains('#')).collect::<Vec<_>>()
    };
    let of_html = links(html, " href=\"methods/", '"');
    let of_markdown = links(markdown, "](methods/", ')').into_iter();
    let of_markdown = of_markdown.map(|target| target.strip_suffix(".md").unwrap().to_owned());
    assert_eq!(of_html, of_markdown.collect::<Vec<_>>(), "{query}");
    of_html
}

#[test]
fn methods_are_found_by_words_of_any_of_their_texts() {
    let server = TestServer::echo(&[("texts.json", texts_module())]);
    for (query, expected) in [
        ("q=article", &["article.get", "article.line.get", "article.post"][..]),
        ("q=line", &["article.line.get"]),
        ("q=LINES+of", &["article.line.get"]),
        ("q=post", &["article.post"]),
        ("q=lang", &["article.get"]),
        ("q=tongue", &["article.get"]),
        ("q=gr%C3%B6%C3%9Fe", &["Gr%C3%B6%C3%9Fe.get"]),
        ("q=large", &["Gr%C3%B6%C3%9Fe.get"]),
        ("q=too_big", &["Gr%C3%B6%C3%9Fe.get"]),
        ("q=article&q=nothing", &["article.get", "article.line.get", "article.post"]),
        ("q=article+nothing", &[]),
        // Only the first 8 words count, within the first 200 characters.
        ("q=line+of+an+article+line+of+an+article+nothing", &["article.line.get"]),
        (&format!("q=line{}nothing", "+".repeat(200)), &["article.line.get"]),
        ("q=+", &[]),
        ("q=", &[]),
        ("", &[]),
        ("q=%FF%00", &[]),
    ] {
        assert_eq!(found_method_ids(&server, query), expected, "{query}");
    }
    let page = body_text(&get_page(&server, "/docs/search?q=more"));
    assert!(page_content(&page).contains("href=\"modules/texts\""), "modules are found too: {page}");
}

/// Returns a definition with captures, positions, permissions and errors.
fn articles_module() -> Value {
    let id = json!({ "info": "Which", "type": "id", "name": "id" });
    let line = |name: &str| json!({ "info": "Which", "type": "id", "name": name });
    json!({ "info": "Articles", "/": { "article": {
        "GET": { "info": "All" },
        "POST": { "info": "A new one", "scope": [["editor"]], "options": { "status": 201 } },
        "/": {
            "line": { "GET": { "info": "Lines", "in": { "URL#0": line("article"), "URL#1": line("line") } } },
            "{id}": {
                "GET": { "info": "One", "in": { "{id}": id }, "errors": { "gone": { "status": 410, "info": "Gone" } } },
                "/": { "picture": { "GET": { "id": "article.picture", "info": "Its image", "in": { "{id}": id } } } }
            }
        }
    } } })
}

#[test]
fn methods_are_found_by_permission_status_and_url() {
    let server = TestServer::echo(&[("articles.json", articles_module())]);
    let (one, picture) = ("article.%7Bid%7D.get", "article.picture");
    for (query, expected) in [
        ("q=editor", &["article.post"][..]),
        ("q=201", &["article.post"]),
        ("q=410", &[one]),
        ("q=/article/3/picture", &[picture]),
        ("q=GET+/article/3/picture", &[picture]),
        ("q=DELETE+/article/3/picture", &[]),
        ("q=https://example.org/article/3/picture?x=1%23y", &[picture]),
        ("q=/ARTICLE/3%2541", &[one]),
        ("q=/article/line/3/4", &["article.line.get"]),
        ("q=/article/line/3/4/5", &[]),
        ("q=/article/3/picture/", &[picture]),
    ] {
        assert_eq!(found_method_ids(&server, query), expected, "{query}");
    }
    // The method that a request for the URL calls is the first one, even if other paths contain the URL.
    assert_eq!(found_method_ids(&server, "q=/article/line")[0], "article.line.get");
    assert_eq!(found_method_ids(&server, "q=GET+/article")[0], "article.get");
}

#[test]
fn methods_are_found_by_urls_that_name_their_service() {
    let rules = json!({
        "Search": { "find": { "s": { "name": "s" } } },
        "Site": { "index": { "title": { "name": "title" } } },
        "User": { "login": {} }
    });
    let service = json!({ "on": true, "default": "Site.Index" });
    let app = json!({ "base": "/v1", "service": service });
    let server = TestServer::echo(&[("app.json", app), ("articles.json", articles_module()), ("rules.json", rules)]);
    let (index, login) = (["site.index.get", "site.index.post"], ["user.login.get", "user.login.post"]);
    for (url, expected) in [
        ("/v1/?service=User.Login", &login[..]),
        ("/v1?service=user.login", &login),
        ("http://host/v1/?s=App.User.Login", &login),
        ("POST /v1/?s=User.Login", &login[1..]),
        ("/v1/?s=Site.Index&service=User.Login#top", &login),
        ("/v1/?service=User%2elogin", &login),
        ("/v1/index.php?service=User.Login", &login),
        ("/v1/index.php/User/Login", &login),
        ("/v1?x=1", &index),
        ("http://host/v1/index.php?x=1", &index),
        ("/v1/?service=Article.Line", &["article.line.get"]),
        // A name in the query has priority over the path, unless its field is a parameter of the method at the path.
        ("/v1/site/index?service=User.Login", &login),
        ("/v1/site/index?s=User.Login", &login),
        ("/v1/site/index?s=words", &index),
        ("/v1/search/find?s=User.Login", &["search.find.get", "search.find.post"]),
        ("/v1/article/3?service=User.Login", &["article.%7Bid%7D.get"]),
        // No service has this name, or no request at this path can name a service.
        ("/v1/?service=Zzzz.qqqq", &[]),
        ("/v1/?service=Article.3", &[]),
        ("/v1/site/index?service=Zzzz.qqqq", &[]),
        ("/?service=User.Login", &[]),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
        assert_eq!(found_method_ids(&server, &format!("q={query}")), expected, "{url}");
    }
    let misspelled = body_text(&get_page(&server, "/docs/search?q=/v1/?service=User.Logn"));
    assert!(misspelled.contains("Results for: <bdi>/v1/User/login</bdi>"), "{}", page_content(&misspelled));
    // Without the setting `service`, the query of a URL is ignored.
    let rules = json!({ "User": { "login": {} } });
    let server = TestServer::echo(&[("rules.json", rules)]);
    assert_eq!(found_method_ids(&server, "q=/?service=User.Login"), &[] as &[&str]);
}

#[test]
fn errors_of_the_server_are_found_by_code_and_status() {
    let server = TestServer::echo(&[("articles.json", articles_module())]);
    for (query, code) in
        [("invalid-parameter", "invalid-parameter"), ("404", "unknown-service"), ("Forbidden", "forbidden")]
    {
        for (path, link) in [("search", format!("errors#{code}\"")), ("search.md", format!("errors.md#{code})"))] {
            let page = body_text(&get_page(&server, &format!("/docs/{path}?q={query}")));
            assert!(page_content(&page).contains(&link), "{query}: {page}");
        }
    }
}

#[test]
fn a_misspelled_word_finds_what_the_correct_word_finds() {
    let server = TestServer::echo(&[("articles.json", articles_module())]);
    for (query, expected) in [
        ("artcle", "article"),
        ("artilce", "article"),
        ("articel", "article"),
        ("pictures", "picture"),
        ("edtor", "editor"),
        ("imge+artcle", "image article"),
        ("/artcle/3/pictur", "/article/3/picture"),
        ("invalid-paramter", "invalid-parameter"),
    ] {
        let page = body_text(&get_page(&server, &format!("/docs/search?q={query}")));
        let corrected = format!("Results for: <bdi>{expected}</bdi>.");
        // A word that no text contains is not corrected to several words.
        assert!(page.contains(&corrected), "{query}: {}", page_content(&page));
    }
    for query in ["zzzzzz", "xx", "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"] {
        let page = body_text(&get_page(&server, &format!("/docs/search?q={query}")));
        assert!(page.contains("Nothing contains ") && !page.contains("Results for"), "{query}: {page}");
        assert!(page_content(&page).contains("<a href=\"modules/articles\">"), "{query}: {page}");
    }
}

#[test]
fn a_search_without_results_suggests_similar_words_and_methods_with_some_of_the_words() {
    let server = TestServer::echo(&[("articles.json", articles_module())]);
    let page = body_text(&get_page(&server, "/docs/search?q=articulation"));
    assert!(page.contains("Did you mean: <a href=\"search?q=article\"><bdi>article</bdi></a>"), "{page}");
    let page = body_text(&get_page(&server, "/docs/search?q=picture+zzzzzz"));
    let (_, suggested) = page_content(&page).split_once("Methods with some of the words").unwrap();
    assert_eq!(suggested.matches("<li><a href=\"methods/").count(), 1, "{page}");
    assert!(suggested.contains("methods/article.picture"), "{page}");
}

#[test]
fn parameters_outputs_errors_settings_and_documents_are_found_with_links_to_them() {
    let limit = json!({ "requests": 10, "per": "day" });
    let app = json!({ "timezone": "Europe/Paris", "rate_limit": limit, "schemas": {
        "Note": { "info": "N", "fields": { "colour": { "info": "C", "type": "string" } } }
    } });
    let note = json!({ "info": "A note", "type": "?Note", "name": "note" });
    let texts = [
        ("app.json", app),
        ("texts.json", texts_module()),
        (
            "notes.json",
            json!({ "/": { "note": { "POST": {
        "info": "Keep it", "in": { "note": note }, "out": { "weight": { "info": "In grams", "type": "int" } }
    } } } }),
        ),
    ];
    let server = TestServer::echo(&texts);
    for (query, link) in [
        ("lang", "methods/article.get#parameter-tongue"),
        ("which tongue", "methods/article.get#parameter-tongue"),
        ("grams", "methods/note.post#output-weight"),
        ("too_big", "methods/Gr%C3%B6%C3%9Fe.get#errors"),
        ("huge", "methods/Gr%C3%B6%C3%9Fe.get#errors"),
        ("colour", "schemas/Note"),
        ("paris", "./#settings"),
        ("time zone", "./#settings"),
        ("cors", "./#settings"),
        ("rate_limit", "./#settings"),
        ("limits.body", "errors#limit-body"),
        ("max_body", "errors#limit-body"),
        ("nesting", "errors#limit-nesting"),
        ("authentication", "./#call"),
        ("openapi", "../openapi.json"),
        ("typescript", "../docs/api.d.ts"),
        ("union-overlap", "diagnostics#union-overlap"),
        ("union-overlpa", "Nothing contains"),
    ] {
        let page = body_text(&get_page(&server, &format!("/docs/search?q={}", query.replace(' ', "+"))));
        assert!(page_content(&page).contains(link), "{query}: {}", page_content(&page));
    }
    // An error whose code or status is the query comes first.
    let page = body_text(&get_page(&server, "/docs/search?q=404"));
    let place = |text: &str| page_content(&page).find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(place("Errors of the server") < place("<h2 id=\"methods\">"));
}

#[test]
fn methods_are_found_by_common_synonyms_of_their_words() {
    let method = |info: &str| json!({ "POST": { "info": info } });
    let module = json!({ "/": {
        "user": { "/": { "login": method("Return a token"), "register": method("Add a person") } },
        "session": { "/": { "end": method("Log out") } },
        "note": { "/": {
            "remove": method("Forget a note"), "picture": method("Show it"), "list": method("All, page by page"),
            "attach": method("Add a file")
        } }
    } });
    let server = TestServer::echo(&[("users.json", module)]);
    for (query, expected) in [
        ("sign+in", "user.login.post"),
        ("signin", "user.login.post"),
        ("Sign+up", "user.register.post"),
        ("logout", "session.end.post"),
        ("sign+out", "session.end.post"),
        ("delete+note", "note.remove.post"),
        ("image", "note.picture.post"),
        ("avatar", "note.picture.post"),
        ("auth", "user.login.post"),
        ("pagination", "note.list.post"),
        ("paging", "note.list.post"),
        ("upload", "note.attach.post"),
    ] {
        assert_eq!(found_method_ids(&server, &format!("q={query}")), [expected], "{query}");
    }
    for query in ["rate+limit", "rate+limiting", "throttle", "quota"] {
        let page = body_text(&get_page(&server, &format!("/docs/search?q={query}")));
        assert!(page_content(&page).contains("errors#too-many-requests"), "{query}: {page}");
    }
}

#[test]
fn methods_that_contain_the_words_are_listed_before_those_that_contain_synonyms() {
    let module = json!({ "/": {
        "file": { "GET": { "info": "Send a file" } },
        "documents": { "PUT": { "info": "Upload it" } }
    } });
    let server = TestServer::echo(&[("texts.json", module)]);
    assert_eq!(found_method_ids(&server, "q=upload"), ["documents.put", "file.get"]);
    assert_eq!(found_method_ids(&server, "q=file"), ["file.get"]);
}

/// The dialog of the search requests the results without the rest of the page.
#[test]
fn the_first_results_are_available_as_a_part_of_a_page() {
    let server = TestServer::echo(&[("texts.json", texts_module())]);
    let results = get_page(&server, "/docs/search/results?q=article");
    assert_eq!((results.status, results.field("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(results.field("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let html = body_text(&results);
    assert!(html.contains("<a href=\"../methods/article.get\"><bdi>Articles</bdi></a>"), "{html}");
    assert!(!html.contains("<html") && !html.contains("class=\"modules\""), "{html}");
    let none = body_text(&get_page(&server, "/docs/search/results?q=%3Cqqqqqq%3E"));
    assert!(none.contains("Nothing contains <bdi>&#60;qqqqqq&#62;</bdi>."), "{none}");
    let own = body_text(&get_page(&server, "/docs/search/results?q=new&as=me"));
    assert!(!own.contains("article.post"), "{own}");
    let everybody = body_text(&get_page(&server, "/docs/search/results?q=new"));
    assert!(everybody.contains("article.post"), "{everybody}");
    get_page(&server, "/docs/search/results.md?q=article").assert_error(404, "");
}

#[test]
fn the_search_query_is_shown_literally() {
    let server = TestServer::echo(&[("texts.json", texts_module())]);
    let page = body_text(&get_page(&server, "/docs/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE"));
    assert!(!page.contains("<script>alert") && !page.contains('\u{202E}'), "{page}");
    assert!(page.contains("value=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;U+202E\""), "{page}");
    let page = body_text(&get_page(&server, "/docs/search.md?q=**a**%0A%23+b"));
    assert!(page.contains("Search: \\*\\*a\\*\\* # b\n"), "{page}");
}
