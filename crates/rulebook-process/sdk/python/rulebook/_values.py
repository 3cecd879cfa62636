"""Values of JSON as the types of annotations, and values of these types as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import functools
import inspect
import os
import re
import types
import typing
import uuid
from typing import Any, Callable, Optional


class InvalidArgument(Exception):
    """An argument that cannot be converted to the type that the annotation of its parameter names."""

    def __init__(self, expected: str, path: str = "", parameter: str = "") -> None:
        super().__init__(f"{parameter}{path}: expected {expected}")
        self.expected = expected
        self.path = path
        self.parameter = parameter


# Without underscores, spaces and huge exponents, with which small texts become large integers.
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DATETIME = re.compile(r"([0-9-]{10})(?:[Tt ]([0-9:]{8})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))?)?")


@functools.lru_cache(maxsize=None)
def _api_zone() -> datetime.tzinfo:
    """Returns the time zone of the API, which dates and times without an offset have."""
    name = os.environ.get("RULEBOOK_TIMEZONE", "UTC")
    if name == "UTC":
        return datetime.timezone.utc
    import zoneinfo

    return zoneinfo.ZoneInfo(name)


def _to_decimal(value: Any) -> decimal.Decimal:
    # The notation of a float is the shortest one that denotes it: 0.1 becomes Decimal("0.1").
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, bool) or not _DECIMAL.fullmatch(text):
        raise ValueError
    return decimal.Decimal(text)


def _to_datetime(value: Any) -> datetime.datetime:
    if isinstance(value, int):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    match = _DATETIME.fullmatch(value)
    if match is None:
        raise ValueError
    date, clock, fraction, sign, hours, minutes = match.groups(default="")
    # Python has no leap seconds: 23:59:60 is the second after 23:59:59.
    leap = clock.endswith(":60")
    moment = datetime.datetime.fromisoformat(f"{date}T{clock[:-2] + '59' if leap else clock or '00:00:00'}")
    zone: datetime.tzinfo = datetime.timezone.utc
    if sign:
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        zone = datetime.timezone(-offset if sign == "-" else offset)
    elif value[-1] not in "Zz":
        zone = _api_zone()
    moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")), tzinfo=zone)
    return moment + datetime.timedelta(seconds=leap)


def _to_date(value: Any) -> datetime.date:
    if isinstance(value, int):
        return datetime.datetime.fromtimestamp(value, _api_zone()).date()
    return datetime.date.fromisoformat(value)


# What values are converted to the types of annotations, and how error messages name these values.
_CONVERSIONS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    decimal.Decimal: (_to_decimal, "a decimal number"),
    datetime.datetime: (_to_datetime, "a date and time from the year 1"),
    datetime.date: (_to_date, "a date from the year 1"),
    datetime.time: (datetime.time.fromisoformat, "a time of day"),
    uuid.UUID: (uuid.UUID, "a UUID"),
}


def union_members(hint: Any) -> tuple[Any, ...]:
    """Returns the members of a union; other types are their only member."""
    is_union = typing.get_origin(hint) in (typing.Union, getattr(types, "UnionType", None))
    return typing.get_args(hint) if is_union else (hint,)


# The JSON types of the arguments that annotations accept. For Python, a boolean is a number.
_ACCEPTED: dict[Any, list[str]] = {
    **dict.fromkeys((bool, int, float), ["boolean", "number"]),
    **dict.fromkeys((str, datetime.time, uuid.UUID), ["string"]),
    **dict.fromkeys((decimal.Decimal, datetime.datetime, datetime.date), ["number", "string"]),
    list: ["array"],
    dict: ["object"],
    type(None): ["null"],
}


def describe(hint: Any) -> Optional[dict[str, Any]]:
    """Describes an annotation, and the JSON types of the arguments that it accepts; None if they are not known."""
    classes = [typing.get_origin(member) or member for member in union_members(hint)]
    if not all(isinstance(known, type) and known in _ACCEPTED for known in classes):
        return None
    return {"type": inspect.formatannotation(hint), "accepts": [name for known in classes for name in _ACCEPTED[known]]}


def converter(hint: Any) -> Optional[Callable[[Any], Any]]:
    """Returns the function that converts arguments to the type of an annotation; None if they stay as they are."""
    alternatives = [member for member in union_members(hint) if member is not type(None)]
    if len(alternatives) != 1:
        return None
    hint = alternatives[0]
    if typing.get_origin(hint) is list:
        convert_item = converter(typing.get_args(hint)[0])
        return None if convert_item is None else functools.partial(_convert_items, convert_item)
    found = _CONVERSIONS.get(hint) if isinstance(hint, type) else None
    return None if found is None else functools.partial(_convert, *found)


def _convert(to_type: Callable[[Any], Any], expected: str, value: Any) -> Any:
    try:
        return None if value is None else to_type(value)
    except (AttributeError, OSError, OverflowError, TypeError, ValueError):
        raise InvalidArgument(expected) from None


def _convert_items(convert: Callable[[Any], Any], items: Any) -> Any:
    if not isinstance(items, list):
        return items
    converted = []
    for index, item in enumerate(items):
        try:
            converted.append(convert(item))
        except InvalidArgument as error:
            raise InvalidArgument(error.expected, f"[{index}]{error.path}") from None
    return converted


def to_json_value(value: Any) -> Any:
    """Converts a value that JSON does not have to the notation of the type in the definition."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, decimal.Decimal) and value.is_finite():
        # A number would lose digits on its way. An exponent keeps the text of a huge number short.
        return format(value, "f") if abs(value.adjusted()) <= 1000 else str(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        # The server takes a time without an offset to be in the time zone of the API.
        return value.isoformat(" ", "seconds")
    if isinstance(value, datetime.time):
        return value.isoformat("seconds")
    if isinstance(value, uuid.UUID):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be converted to JSON")
