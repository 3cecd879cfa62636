create table note (
    note_id integer primary key,
    title text not null unique,
    text text not null,
    author text not null,
    changed text not null default (datetime('now')),
    file_name text,
    file_type text,
    file blob
);
