"""The types of handlers of Orders 1.0.0, generated from its definition, for Python 3.11 and later."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
from uuid import UUID

from rulebook import Upload


class Download(TypedDict):
    """A file: its path in the folder of files, its text, or its bytes in base64."""

    file: NotRequired[str]
    text: NotRequired[str]
    base64: NotRequired[str]
    name: NotRequired[str]
    type: NotRequired[str]
    inline: NotRequired[bool]


class LineArgument(TypedDict):
    """A product in an order"""

    # The product
    product: str
    # The price of one
    price: str
    # When it was added
    added: NotRequired[int | None]
    # A note
    note: NotRequired[str | None]


class OrderListArguments(TypedDict):
    """The arguments of `order.list`: Lists orders"""

    # Only since
    since: NotRequired[datetime | None]


# The arguments of `order.add`: Adds an order
OrderAddArguments = TypedDict("OrderAddArguments", {
    # The customer
    "customer": "UUID",
    # The products
    "lines": "list[LineArgument]",
    # The discount
    "discount": "Decimal",
    # Limits of the price
    "limits": NotRequired["list[Decimal] | None"],
    # When it is due
    "due": NotRequired["date | None"],
    # When it was placed, in seconds
    "placed": "datetime",
    # Where it comes from
    "from": NotRequired["Literal[\"shop\", \"phone\"] | None"],
    # A scan of the order
    "scan": NotRequired["Upload | None"],
})


class OrderPdfArguments(TypedDict):
    """The arguments of `order.pdf`: An order to print"""

    # The order
    id: int


class OrderRemoveArguments(TypedDict):
    """The arguments of `order.remove`: Removes an order"""

    # The order
    id: int


class Line(TypedDict):
    """A product in an order"""

    # The product
    product: UUID | str
    # The price of one
    price: Decimal | str
    # When it was added
    added: NotRequired[datetime | int | None]
    # A note
    note: NotRequired[str | None]


# The outputs of `order.list`.
OrderListOutputs: TypeAlias = "list[Line]"


class OrderAddOutputs(TypedDict):
    """The outputs of `order.add`."""

    # Its number
    id: int
    # The sum
    total: Decimal | str
    # The products
    lines: list[Line]
    # When it is due
    due: NotRequired[date | str | None]
    # Its queue
    queue: NotRequired[str | None]
    # The HTTP status of the response
    status: NotRequired[int | None]


# The errors of `order.add`.
OrderAddError: TypeAlias = Literal["no_customer", "closed"]


# The outputs of `order.pdf`.
OrderPdfOutputs: TypeAlias = "Download"


# The outputs of `order.remove`.
OrderRemoveOutputs: TypeAlias = None
