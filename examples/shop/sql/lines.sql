-- A product that does not exist has no price.
insert into line (purchase, product, count, price)
select :inserted, value ->> 'product', value ->> 'count', (select price from product where id = value ->> 'product')
from json_each(:lines)
