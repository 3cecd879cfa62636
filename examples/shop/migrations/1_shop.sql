create table product (
  id integer primary key,
  sku text not null unique,
  name text not null,
  price decimal(10,2) not null,
  stock integer not null check (stock >= 0),
  tags text not null default '[]',
  note text,
  revision integer not null default 1,
  image blob,
  image_type text
);
create table purchase (
  id integer primary key,
  customer text not null,
  placed text not null default current_timestamp
);
create index purchase_customer on purchase (customer, id);
create table line (
  purchase integer not null references purchase,
  product integer not null references product,
  count integer not null,
  price decimal(10,2) not null
);
create index line_purchase on line (purchase);
create index line_product on line (product);
create view summary as
select id, customer, placed,
  (select json_group_array(json_object('product', product, 'count', count)) from line where purchase = purchase.id) as lines,
  (select printf('%.2f', sum(count * price)) from line where purchase = purchase.id) as total
from purchase;
