insert into product (sku, name, price, stock, tags, note)
values (:product.sku, :product.name, :product.price, :product.stock, :product.tags, :product.note)
returning id
