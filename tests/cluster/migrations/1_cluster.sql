-- The tables of the methods in tests/cluster/api.
create table entry (
  id text primary key,
  version bigint not null
);
create table caller (
  rank integer primary key,
  name text not null
);
insert into caller (rank, name) select n, 'caller ' || n from generate_series(1, 1000) as n;
create table attachment (
  name text primary key,
  content bytea not null
);
