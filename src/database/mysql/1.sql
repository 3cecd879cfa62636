-- MySQL commits each statement that creates a table, so that all statements must have no effect if they are repeated.
-- The type of a column is VARCHAR, because MySQL cannot index TEXT, except for texts that are too long for it. The
-- collation compares texts byte for byte, as the other databases do, except for trailing blanks, which it ignores.
-- Therefore a login, which a client may send with blanks, is stored as bytes.
CREATE TABLE IF NOT EXISTS users (
    user_id BIGINT AUTO_INCREMENT PRIMARY KEY,
    login VARBINARY(64) NOT NULL UNIQUE,
    name VARCHAR(255) NOT NULL,
    about VARCHAR(2000) NOT NULL,
    role VARCHAR(20) NOT NULL CHECK (role IN ('reader', 'author', 'editor', 'admin')),
    since VARCHAR(40) NOT NULL,
    password VARCHAR(255) NOT NULL
) ENGINE = InnoDB, CHARACTER SET utf8mb4, COLLATE utf8mb4_bin;

-- Logins are looked up by the SHA-256 of their tokens, which are not stored.
CREATE TABLE IF NOT EXISTS logins (
    hash VARCHAR(64) PRIMARY KEY,
    user_id BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    INDEX logins_ends (ends),
    FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
) ENGINE = InnoDB, CHARACTER SET utf8mb4, COLLATE utf8mb4_bin;

-- tags: each tag between spaces. words: title and text in lowercase, for searches.
CREATE TABLE IF NOT EXISTS articles (
    article_id BIGINT AUTO_INCREMENT PRIMARY KEY,
    author_id BIGINT NOT NULL,
    title VARCHAR(255) NOT NULL,
    text MEDIUMTEXT NOT NULL,
    language VARCHAR(20) NOT NULL,
    tags VARCHAR(1000) NOT NULL,
    words MEDIUMTEXT NOT NULL,
    created VARCHAR(40) NOT NULL,
    changed VARCHAR(40) NOT NULL,
    INDEX articles_author (author_id),
    INDEX articles_created (created),
    FOREIGN KEY (author_id) REFERENCES users (user_id)
) ENGINE = InnoDB, CHARACTER SET utf8mb4, COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS pictures (
    article_id BIGINT PRIMARY KEY,
    alt VARCHAR(1000) NOT NULL,
    media_type VARCHAR(255) NOT NULL,
    size BIGINT NOT NULL,
    content LONGBLOB NOT NULL,
    FOREIGN KEY (article_id) REFERENCES articles (article_id) ON DELETE CASCADE
) ENGINE = InnoDB, CHARACTER SET utf8mb4, COLLATE utf8mb4_bin;
