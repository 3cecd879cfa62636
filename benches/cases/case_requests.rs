//! The requests of the cases.

use super::{Case, Request};
use crate::orders;
use crate::requests::{
    download_request, file_target, get_request, invalid_article_requests, post_form, post_json, post_orders,
    upload_request, valid_article, with_token,
};

impl Case {
    /// Returns the request that is measured.
    pub fn request(self) -> Request {
        match self {
            Self::Ping => get_request("/ping"),
            Self::Get | Self::GetVerified => get_request("/article/line/23/7?lang=en"),
            Self::Query => get_request("/article/query?article_id=23&no_line=7&lang=en"),
            Self::Rules => get_request("/lines/query?article_id=23&no_line=7&lang=en"),
            Self::Service => get_request("/?service=Article.Query&article_id=23&no_line=7&lang=en"),
            Self::Jsonp => get_request("/script/line/23/7?lang=en&callback=app.show"),
            Self::Json => post_json(&valid_article()),
            Self::Form => post_form(&valid_article()),
            Self::Schemas => post_orders(orders::body()),
            Self::Options => Request { method: "OPTIONS", ..get_request("/ping") },
            Self::Openapi => get_request("/openapi.json"),
            Self::NotModified => Request { has_document: true, ..get_request("/openapi.json") },
            Self::Article => get_request("/article/3"),
            Self::SqlSqlite | Self::SqlPostgres | Self::SqlFastapi => get_request("/note/4711"),
            Self::Http | Self::HttpNginx => get_request("/quote/23?lang=en"),
            Self::Process => get_request("/line/23/7?lang=en"),
            Self::Php => get_request("/line?article_id=23&no_line=7&lang=en"),
            Self::OneKey => with_token(get_request("/private"), 0),
            Self::ThousandKeys => with_token(get_request("/private"), 1_000),
            Self::Down1K | Self::Down1KNodelay | Self::Down1KNginx => download_request(1 << 10),
            Self::Down1M | Self::Down1MNodelay => download_request(1 << 20),
            Self::Down256M => download_request(256 << 20),
            Self::Up1M => upload_request(1 << 20),
            // This small request is used only to compare the responses. `drive::load` sends the measured requests.
            Self::Up256M => upload_request(1 << 10),
            Self::LastOf10 => get_request("/s10/line/23/7?lang=en"),
            Self::LastOf1000 => get_request("/s1000/line/23/7?lang=en"),
            Self::LastOf10000 => get_request("/s10000/line/23/7?lang=en"),
        }
    }

    /// Returns invalid requests, each with the status that both servers must respond with.
    pub fn invalid_requests(self) -> Vec<(Request, u16)> {
        match self {
            Self::Ping => vec![(get_request("/pong"), 404)],
            Self::Get | Self::GetVerified => vec![
                (get_request("/article/line/23/seven?lang=en"), 400),
                (get_request("/article/line/23/2147483648?lang=en"), 400),
                (get_request("/article/line/23/7?lang=e"), 400),
                (get_request("/article/line/23/7"), 400),
            ],
            Self::Query | Self::Rules => {
                let target = self.request().target;
                vec![
                    (get_request(&target.replacen("line=7", "line=seven", 1)), 400),
                    (get_request(&target.replacen("line=7", "line=2147483648", 1)), 400),
                    (get_request(&target.replacen("&lang=en", "", 1)), 400),
                ]
            }
            Self::Service => vec![
                (get_request("/?service=Article.Lines&article_id=23&no_line=7&lang=en"), 404),
                (get_request("/?service=Article.Query&article_id=23&no_line=seven&lang=en"), 400),
                (get_request("/?service=Article.Query&article_id=23&no_line=7"), 400),
            ],
            Self::Jsonp => vec![
                (get_request("/script/line/23/7?lang=en&callback=alert(1)"), 400),
                (get_request("/script/line/23/7?lang=en&callback=a..b"), 400),
            ],
            Self::Json => invalid_article_requests(post_json),
            Self::Form => invalid_article_requests(post_form),
            Self::Schemas => {
                let body = orders::body();
                vec![
                    (post_orders(body.replacen("\"EUR\"", "\"EURO\"", 1)), 400),
                    (post_orders(body.replacen("\"weight\":", "\"weigth\":", 1)), 400),
                    (post_orders(body.replacen("\"count\":0", "\"count\":1001", 1)), 400),
                ]
            }
            Self::Options => vec![(Request { method: "OPTIONS", ..get_request("/pong") }, 404)],
            Self::Openapi | Self::NotModified => vec![(get_request("/openapi.yaml"), 404)],
            Self::Article => vec![(get_request("/article/3000000"), 404), (get_request("/article/three"), 400)],
            Self::SqlSqlite | Self::SqlPostgres | Self::SqlFastapi => vec![
                (get_request("/note/2000000"), 404),
                (get_request("/note/2147483648"), 400),
                (get_request("/note/one"), 400),
            ],
            Self::Http => vec![
                (get_request("/quote/1000?lang=en"), 404),
                (get_request("/quote/2147483648?lang=en"), 400),
                (get_request("/quote/one?lang=en"), 400),
                (get_request("/quote/23?lang=e"), 400),
                (get_request("/quote/23"), 400),
            ],
            // nginx does not check the parameters.
            Self::HttpNginx => vec![(get_request("/quote/1000?lang=en"), 404), (get_request("/quotes"), 404)],
            Self::Process => vec![
                (get_request("/line/23/seven?lang=en"), 400),
                (get_request("/line/23/2147483648?lang=en"), 400),
                (get_request("/line/23/7?lang=e"), 400),
                (get_request("/line/23/7"), 400),
            ],
            Self::Php => vec![(get_request("/lines"), 404)],
            Self::OneKey | Self::ThousandKeys => vec![(get_request("/private"), 401)],
            Self::Down1KNginx => vec![(Request { target: file_target("public/none.txt"), ..download_request(1) }, 404)],
            Self::Down1K | Self::Down1KNodelay | Self::Down1M | Self::Down1MNodelay | Self::Down256M => vec![
                (Request { target: file_target("public/none.txt"), ..download_request(1) }, 404),
                (Request { target: file_target("public/../none.txt"), ..download_request(1) }, 400),
                (Request { token: None, ..download_request(1 << 10) }, 401),
            ],
            Self::Up1M | Self::Up256M => vec![(Request { token: None, ..upload_request(1 << 10) }, 401)],
            Self::LastOf10 | Self::LastOf1000 | Self::LastOf10000 => {
                let target = self.request().target;
                vec![
                    (get_request(&target.replacen("/line", "0/line", 1)), 404),
                    (get_request(&target.replacen("/23/", "/-1/", 1)), 400),
                ]
            }
        }
    }
}
