from decimal import Decimal

from rulebook import handler, serve


@handler("total.get")
def total(price: Decimal, percent=0):
    return {"total": round(price * (100 + (percent or 0)) / 100, 2)}


serve()
