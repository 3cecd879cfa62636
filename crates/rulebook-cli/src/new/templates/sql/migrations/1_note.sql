create table note (
    note_id integer primary key,
    title varchar(80) not null unique,
    text text not null,
    author text not null,
    changed timestamp not null default current_timestamp,
    file_name text,
    file_type text,
    file blob
);
