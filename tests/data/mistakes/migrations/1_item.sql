create table item (
  id integer primary key,
  name text not null unique,
  price text not null
);
