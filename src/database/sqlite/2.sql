-- Texts about the site, each a JSON document that is served unchanged.
CREATE TABLE user_info (
    id TEXT PRIMARY KEY,
    intro_json TEXT
);
