"""Handlers with the generated types. Each line with `type: ignore` has this error, and mypy finds no other."""

from decimal import Decimal
from typing import Unpack
from uuid import UUID

from handlers import (
    Download,
    Line,
    LineArgument,
    OrderAddArguments,
    OrderAddError,
    OrderAddOutputs,
    OrderListArguments,
    OrderListOutputs,
    OrderPdfOutputs,
    OrderRemoveOutputs,
)
from rulebook import Call, Failure, handler


def read(line: LineArgument) -> Line:
    return {"product": UUID(line["product"]), "price": Decimal(line["price"]), "added": line["added"]}


@handler("order.add")
def add(call: Call, **arguments: Unpack[OrderAddArguments]) -> OrderAddOutputs:
    customer: UUID = arguments["customer"]
    if customer.int == 0:
        missing: OrderAddError = "no_customer"
        raise Failure(missing, customer=str(customer))
    prices = [Decimal(line["price"]) for line in arguments["lines"]]
    due = arguments.get("due")
    scan = arguments.get("scan")
    name = scan["name"] if scan else ""
    total = sum(prices, arguments["discount"]) + arguments["placed"].year
    return {
        "id": len(name),
        "total": total,
        "lines": [read(line) for line in arguments["lines"]],
        "due": due and due.replace(day=1),
        "status": 201,
    }


@handler("order.list")
async def list_orders(**arguments: Unpack[OrderListArguments]) -> OrderListOutputs:
    since = arguments.get("since")
    return [{"product": "", "price": "1.50", "note": since.isoformat() if since else None}]


@handler("order.pdf")
def pdf(id: int) -> OrderPdfOutputs:
    return Download(text=f"{id}", name="order.txt")


@handler("order.remove")
def remove(id: int) -> OrderRemoveOutputs:
    return None


def wrong(**arguments: Unpack[OrderAddArguments]) -> OrderAddOutputs:
    arguments["costumer"]  # type: ignore[typeddict-item]
    arguments["discount"] + 1.5  # type: ignore[operator]
    arguments["lines"][0]["price"] + 1  # type: ignore[operator]
    error: OrderAddError = "no_costumer"  # type: ignore[assignment]
    print(error)
    if arguments["placed"].year > 2000:
        return {"id": 1, "lines": []}  # type: ignore[typeddict-item]
    return {"id": "1", "total": "1", "lines": []}  # type: ignore[typeddict-item]
