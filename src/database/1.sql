CREATE TABLE users (
    user_id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    about TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('reader', 'author', 'editor', 'admin')),
    since TEXT NOT NULL,
    password TEXT NOT NULL
);

-- Logins are looked up by the SHA-256 of their tokens, which are not stored.
CREATE TABLE logins (
    hash TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    ends BIGINT NOT NULL
);
CREATE INDEX logins_ends ON logins (ends);

-- tags: each tag between spaces. words: title and text in lowercase, for searches.
CREATE TABLE articles (
    article_id INTEGER PRIMARY KEY AUTOINCREMENT,
    author_id INTEGER NOT NULL REFERENCES users,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    language TEXT NOT NULL,
    tags TEXT NOT NULL,
    words TEXT NOT NULL,
    created TEXT NOT NULL,
    changed TEXT NOT NULL
);
CREATE INDEX articles_author ON articles (author_id);
CREATE INDEX articles_created ON articles (created);

CREATE TABLE pictures (
    article_id INTEGER PRIMARY KEY REFERENCES articles ON DELETE CASCADE,
    alt TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    content BLOB NOT NULL
);

-- Texts about the site, each a JSON document that is served unchanged.
CREATE TABLE user_info (
    id TEXT PRIMARY KEY,
    intro_json TEXT
);
