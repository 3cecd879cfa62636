update product
set stock = stock - (select sum(count) from line where purchase = :inserted and product = product.id)
where id in (select product from line where purchase = :inserted)
