update product
set sku = coalesce(:new.sku, sku), name = coalesce(:new.name, name), price = coalesce(:new.price, price),
  stock = coalesce(:new.stock, stock), tags = coalesce(:new.tags, tags),
  note = case when :given.new.note then :new.note else note end, revision = revision + 1
where id = :id and revision = :revision
returning revision
