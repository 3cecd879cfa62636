-- Texts about the site, each a JSON document that is served unchanged.
CREATE TABLE IF NOT EXISTS user_info (
    id VARCHAR(100) PRIMARY KEY,
    intro_json LONGTEXT
) ENGINE = InnoDB, CHARACTER SET utf8mb4, COLLATE utf8mb4_bin;
