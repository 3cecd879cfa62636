select id, sku, name, price, stock, tags, note, revision from product
where (:tag is null or :tag in (select value from json_each(tags)))
  and (:words is null or instr(lower(name), lower(:words)) > 0)
  and (:max_price is null or price <= cast(:max_price as real))
