-- Texts about the site, each a JSON document as it is served.
CREATE TABLE user_info (
    id TEXT PRIMARY KEY,
    intro_json TEXT
);
