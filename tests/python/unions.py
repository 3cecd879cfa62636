"""The client of Unions 1.0.0, generated from its definition, for Python 3.11 and later."""

from __future__ import annotations

import base64
import builtins
import json
import os
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, NotRequired, TypeAlias, TypedDict


class ApiError(Exception):
    """The API has responded with an error.

    `declared` is the name under which the definition declares the error, if the response contains it. `errors` contains
    the errors of parameters, and `body` is the whole body.
    """

    def __init__(
        self, status: int, message: str, code: str | int | None, declared: Any, errors: list[dict[str, Any]], body: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.declared: DeclaredError | None = declared
        self.errors = errors
        self.body = body


class File(NamedTuple):
    """A file to upload."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


FileArgument: TypeAlias = "File | bytes | os.PathLike[str]"


@dataclass(frozen=True)
class Download:
    """A file that the API has sent."""

    content: bytes
    filename: str | None
    status: int
    headers: dict[str, str]


class Connection:
    """Sends the requests of the functions."""

    def __init__(
        self,
        url: str,
        base: str,
        token: str | None,
        basic: tuple[str, str] | None,
        timeout: float,
        headers: Mapping[str, str] | None,
    ) -> None:
        url = url.rstrip("/")
        self.url = url if url.endswith(base) else url + base
        self.authorization = f"Bearer {token}" if token else _basic_credentials(*basic) if basic else None
        self.timeout = timeout
        self.headers = dict(headers or {})

    def call(
        self,
        http: str,
        path: list[str | tuple[Any, ...]],
        *,
        envelope: str,
        positions: Sequence[tuple[Any, ...]] = (),
        query: Sequence[tuple[Any, ...]] = (),
        headers: Sequence[tuple[Any, ...]] = (),
        cookies: Sequence[tuple[Any, ...]] = (),
        body: Sequence[tuple[Any, ...]] = (),
        nulls: Sequence[tuple[str, str]] = (),
        whole_body: bool = False,
        whole: bool = False,
        download: bool = False,
    ) -> Any:
        """Calls a method, and returns its outputs or its file. A parameter is a tuple: its name, its value and, for a
        list of scalars or a union outside of a JSON body, the way in which it is written. `nulls` has the locations and
        names of the parameters whose value can be null; in others, it stands for a missing value. If `whole_body` is
        true, the body is the value of the only parameter in `body`, as JSON or as a file, and not an object with it."""

        def is_given(location: str, item: tuple[Any, ...]) -> bool:
            return item[1] is not None or (location, item[0]) in nulls

        segments = [segment if isinstance(segment, str) else _segment(*segment) for segment in path]
        last = max((n for n, item in enumerate(positions) if is_given("positions", item)), default=-1)
        # A missing position before another one is an empty segment.
        segments += [_segment(*item) if is_given("positions", item) else "" for item in positions[: last + 1]]
        url = "/".join([self.url, *segments]) if segments else self.url + "/"
        given = [item for item in query if is_given("query", item)]
        pairs = [(item[0], text) for item in given for text in _texts(*item[1:], repeats=True)]
        if pairs:
            url += "?" + "&".join("=".join(urllib.parse.quote(text, safe="") for text in pair) for pair in pairs)
        fields = {"Accept": "*/*" if download else "application/json", **self.headers}
        if self.authorization:
            fields["Authorization"] = self.authorization
        for item in headers:
            if is_given("headers", item):
                fields[item[0]] = _header_value(item[0], _texts(*item[1:])[0])
        given = [item for item in cookies if is_given("cookies", item)]
        cookie = [f"{item[0]}={_cookie_value(_texts(*item[1:])[0])}" for item in given]
        if cookie:
            fields["Cookie"] = _latin_1("; ".join(cookie))
        sent = [item for item in body if is_given("body", item)]
        data = None
        if sent and whole_body and _is_file(sent[0][1]):
            file = _file(sent[0][1])
            data, fields["Content-Type"] = file.content, file.media_type
            if "content-disposition" not in (name.lower() for name in fields):
                fields["Content-Disposition"] = _disposition(file.name)
        elif not whole_body and any(_is_file(part) for item in sent for part in _list(item[1])):
            data, fields["Content-Type"] = _multipart(sent)
        elif sent:
            content = sent[0][1] if whole_body else {item[0]: item[1] for item in sent}
            data, fields["Content-Type"] = _json(content).encode(), "application/json"
        request = urllib.request.Request(url, data=data, headers=fields, method=http)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                status, received, content = response.status, dict(response.headers.items()), response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, received, content = error.code, dict(error.headers.items()), error.read()
        return _result(status, {name.lower(): value for name, value in received.items()}, content, envelope, whole, download)


def _basic_credentials(name: str, password: str) -> str:
    """Returns the value of `Authorization` for a name and a password (RFC 7617)."""
    if ":" in name:
        raise ValueError("the name in the argument basic contains a colon")
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def _new_key() -> str:
    """Returns a new idempotency key."""
    return secrets.token_hex(16)


def _result(status: int, headers: dict[str, str], content: bytes, envelope: str, whole: bool, download: bool) -> Any:
    """Returns the outputs in a response, or raises the error in it."""
    is_success = 200 <= status < 300
    if download and (is_success or status == 304):
        return Download(content, _file_name(headers.get("content-disposition", "")), status, headers)
    body: Any = None
    if content:
        try:
            body = json.loads(content)
        except ValueError:
            if is_success:
                raise ValueError(f"the response is not JSON but {headers.get('content-type', 'of no type')}") from None
            body = content.decode(errors="replace")
    decoding = ENVELOPES[envelope]
    if not is_success or _is_hidden_error(decoding, body):
        raise _api_error(status, headers, body, [decoding, ENVELOPES[API_ENVELOPE]])
    outputs = decoding["outputs"]
    if outputs["in"] == "members":
        members = body if isinstance(body, dict) else {}
        if whole:
            return members.get(outputs["whole"])
        return {name: value for name, value in members.items() if name not in outputs["except"]}
    if outputs["in"] == "member":
        value = body.get(outputs["member"]) if isinstance(body, dict) else None
        # PHP writes an empty object as a list.
        return {} if not whole and isinstance(value, list) else value
    return {} if body is None and not whole else body


def _is_hidden_error(decoding: dict[str, Any], body: Any) -> bool:
    """Returns whether a response with the status of a success is an error."""
    if not decoding["hides_errors"]:
        return False
    if "success" in decoding:
        return not _matches(decoding["success"]["schema"], body)
    return "schema" in decoding["error"] and _matches(decoding["error"]["schema"], body)


def _api_error(status: int, headers: dict[str, str], body: Any, decodings: list[dict[str, Any]]) -> ApiError:
    """Returns the error in a response. An error may be in the envelope of the method or in that of the API."""
    members = body if isinstance(body, dict) else {}
    errors = [decoding["error"] for decoding in decodings]
    found = [error for error in errors if "schema" in error and _matches(error["schema"], members)]
    undescribed = [error for error in errors if "schema" not in error]
    error = [*found, *undescribed, {"message": ["message"], "parameters": "errors"}][0]
    if headers.get("content-type", "").startswith("application/problem+json"):
        error = {"code": "code", "name": "code", "message": ["detail", "title"], "parameters": "errors"}

    def member(key: str) -> Any:
        return members.get(error[key]) if key in error else None

    real = member("status") if 200 <= status < 300 else None
    texts = [members[name] for name in error["message"] if isinstance(members.get(name), str)]
    code = member("code" if "code" in error else "status")
    real_status = real if isinstance(real, int) else status
    parameters = member("parameters")
    message = texts[0] if texts else f"the response has the status {status}"
    return ApiError(
        real_status, message, code, member("name"), parameters if isinstance(parameters, list) else [], body
    )


def _matches(schema: dict[str, Any], body: Any) -> bool:
    """Returns whether a body has the members that identify it."""

    def has(name: str, value: dict[str, Any]) -> bool:
        found = body.get(name)
        if "const" in value:
            return name in body and found == value["const"] and isinstance(found, bool) == isinstance(value["const"], bool)
        is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
        return is_number if value["type"] == "number" else isinstance(found, str)

    return isinstance(body, dict) and all(has(name, value) for name, value in schema["properties"].items())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) and not isinstance(value, File) else [value]


def _is_file(value: Any) -> bool:
    return isinstance(value, (File, bytes, os.PathLike))


def _file(value: Any) -> File:
    """Returns the file of an argument."""
    if isinstance(value, File):
        return value
    if isinstance(value, bytes):
        return File("file", value)
    path = Path(value)
    return File(path.name, path.read_bytes())


def _disposition(name: str) -> str:
    """Returns the value of Content-Disposition for a file that is the whole body (RFC 6266)."""
    if re.fullmatch(r"[ !#-\[\]-~]+", name):
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"


def _texts(value: Any, style: str = "json", separator: str = ",", *, repeats: bool = False) -> list[str]:
    """Writes a value as texts. A list of scalars is repeated or joined if the server then reads the same list, and
    otherwise JSON. `style` is "json", "items", or the format "explode" or "list" of the definition; "union" writes any
    value as JSON, so that a text does not become a value of another type in the union."""

    def text(item: Any) -> str:
        return item if isinstance(item, str) else _json(item)

    if style == "union":
        return [_json(value)]
    if not isinstance(value, (list, tuple)):
        return [text(value)]
    if style == "json" or not value or None in value:
        return [_json(value)]
    items = [text(item) for item in value]
    is_split = style in ("explode", "list")
    has_commas = is_split and separator == ","
    if repeats and not has_commas and len(items) > 1:
        return items
    if not repeats and not has_commas:
        return [_json(value)]
    joined = separator.join(items)
    parts = joined.split(separator) if is_split else items
    same = [part.strip(" \t") if style == "list" else part for part in parts] == items and (is_split or len(items) == 1)
    # The server reads texts that begin like JSON as JSON; spaces at the ends and dots would be lost in some locations.
    return [joined] if same and not re.search(r"^\.{0,2}\Z|^[\s\x85\[{]|[\s\x85]\Z", joined) else [_json(value)]


def _segment(name: str, value: Any, style: str = "json", separator: str = ",") -> str:
    """Returns a value as a segment of a path."""
    text = _texts(value, style, separator)[0]
    if text in ("", ".", ".."):
        raise ValueError(f"{name}: a path segment cannot be {text!r}")
    return urllib.parse.quote(text, safe="")


def _header_value(name: str, text: str) -> str:
    """Returns a text as the value of a header field, which would lose blanks at its ends."""
    if re.search(r"[\0\r\n]|^[ \t]|[ \t]\Z", text):
        raise ValueError(f"{name}: a header field cannot begin or end with a blank, or contain line breaks")
    return _latin_1(text)


def _latin_1(text: str) -> str:
    """Returns a text with a character for each byte of its UTF-8, as header fields need it."""
    return text.encode().decode("latin-1")


def _cookie_value(text: str) -> str:
    """Returns a text as the value of a cookie, in quotes if it would otherwise lose quotes or spaces at its ends."""
    if re.search(r"[\x00-\x1f\x7f;]", text):
        raise ValueError("a cookie cannot contain control characters and semicolons")
    return f'"{text}"' if re.search(r'^["\s]|["\s]\Z', text) else text


def _multipart(fields: list[tuple[Any, ...]]) -> tuple[bytes, str]:
    """Returns a multipart body and its media type."""
    boundary = f"rulebook{secrets.token_hex(16)}"
    body = bytearray()

    def escaped(name: str) -> str:
        return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

    def add(name: str, more: str, content: bytes) -> None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{escaped(name)}"{more}\r\n\r\n'
        body.extend(head.encode() + content + b"\r\n")

    for name, value, *style in fields:
        items = _list(value)
        if not any(_is_file(item) for item in items):
            for text in _texts(value, *style, repeats=True):
                add(name, "", text.encode())
            continue
        for item in items:
            file = _file(item)
            add(name, f'; filename="{escaped(file.name)}"\r\nContent-Type: {file.media_type}', file.content)
    body.extend(f"--{boundary}--\r\n".encode())
    return bytes(body), f"multipart/form-data; boundary={boundary}"


def _file_name(disposition: str) -> str | None:
    """Returns the file name in a Content-Disposition field (RFC 6266)."""
    encoded = re.search(r";\s*filename\*=UTF-8''([^;\s]+)", disposition, re.IGNORECASE)
    if encoded:
        return urllib.parse.unquote(encoded[1])
    quoted = re.search(r';\s*filename="((?:[^"\\]|\\.)*)"', disposition, re.IGNORECASE)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    plain = re.search(r";\s*filename=([^;\s]+)", disposition, re.IGNORECASE)
    return plain[1] if plain else None


# The names of the errors that methods declare.
DeclaredError: TypeAlias = str

# How responses are decoded.
ENVELOPES: dict[str, dict[str, Any]] = {
    "aicra": {"outputs": {"in": "members", "except": ["error", "ErrorDescription"], "whole": "result"}, "hides_errors": False, "error": {"schema": {"type": "object", "required": ["error", "ErrorDescription"], "properties": {"error": {"type": "number"}, "ErrorDescription": {"type": "string"}}}, "code": "error", "name": "name", "parameters": "errors", "status": "status", "message": ["ErrorDescription"]}, "success": {"schema": {"type": "object", "required": ["error", "ErrorDescription"], "properties": {"error": {"const": 0}, "ErrorDescription": {"type": "string"}}}}},
}
API_ENVELOPE = "aicra"


class Batch(TypedDict):
    """Several events at once"""

    # The events
    events: list[Event]


class Created(TypedDict):
    """A thing was created"""

    # Its id
    id: int
    # Who created it
    by: str


class EventCreated(TypedDict):
    # Its id
    id: int
    # Who created it
    by: str
    type: Literal["created"]


class EventBatch(TypedDict):
    type: Literal["batch"]
    # The events
    events: list[Event]


# What happened
Event: TypeAlias = "EventCreated | Removed | EventBatch"


class Negation(TypedDict):
    """The negation of a term"""

    # Always minus
    op: Literal["minus"]
    # The term
    term: Term


class Removed(TypedDict):
    """A thing was removed"""

    # The kind of event
    type: Literal["removed"]
    # Why
    reason: NotRequired[Literal["spam", "old"] | None]


# Settings by language
Settings: TypeAlias = "dict[str, Created]"


class Sum(TypedDict):
    """The sum of terms"""

    # Always plus
    op: Literal["plus"]
    # The terms
    terms: list[Term]


# A term
Term: TypeAlias = "int | Sum | Negation"


# Text in one or several languages
Text: TypeAlias = str | dict[str, str] | None


class EventsGetResult(TypedDict):
    # The events
    events: list[Event]


class EventsPostChange(TypedDict):
    # Its id
    id: NotRequired[int]
    # Who created it
    by: NotRequired[str]


class EventsPostResult(TypedDict):
    # The event
    event: NotRequired[Event | None]
    # The term
    term: NotRequired[Term | None]


class EventsFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def get(
        self,
        *,
        after: int | Event | None = None,
        titles: dict[str, Text] | None = None,
    ) -> EventsGetResult:
        """List the events

        - after: An event, or the number of one
        - titles: Titles
        """
        _result: EventsGetResult = self._api.call(
            "GET",
            ["events"],
            envelope="aicra",
            query=[("after", after), ("titles", titles)],
        )
        return _result

    def post(
        self,
        *,
        event: Event | None = None,
        title: Text | None = None,
        term: Term | None = None,
        settings: Settings | None = None,
        change: EventsPostChange | None = None,
        state: Literal["draft"] | Literal[1] | bool | None = None,
    ) -> EventsPostResult:
        """Record an event

        - event: The event
        - title: The title
        - term: A term
        - settings: The settings
        - change: What to change
        - state: The state
        """
        _result: EventsPostResult = self._api.call(
            "POST",
            ["events"],
            envelope="aicra",
            body=[
                ("event", event),
                ("title", title, "union"),
                ("term", term),
                ("settings", settings),
                ("change", change),
                ("state", state),
            ],
        )
        return _result


class Api:
    """The functions of the API. `url` is the URL of its server, or of its base path."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        basic: tuple[str, str] | None = None,
        timeout: float = 60.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._api = Connection(url, "", token, basic, timeout, headers)
        self.events = EventsFunctions(self._api)
