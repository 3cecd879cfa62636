"""The client of Articles 1.0.0, generated from its definition, for Python 3.11 and later."""

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
DeclaredError: TypeAlias = Literal["cache_too_large", "count_mismatch", "duplicate_filename", "login_taken", "name_taken", "no_database", "no_room", "no_such_article", "no_such_author", "no_such_file", "no_such_line", "no_such_picture", "no_such_user", "no_value", "not_allowed", "not_cacheable", "not_yours", "precondition_failed", "too_busy", "too_many_failures", "too_many_logins", "too_many_registrations", "wrong_login"]

# How responses are decoded.
ENVELOPES: dict[str, dict[str, Any]] = {
    "aicra": {"outputs": {"in": "members", "except": ["error", "ErrorDescription"], "whole": "result"}, "hides_errors": False, "error": {"schema": {"type": "object", "required": ["error", "ErrorDescription"], "properties": {"error": {"type": "number"}, "ErrorDescription": {"type": "string"}}}, "code": "error", "name": "name", "parameters": "errors", "status": "status", "message": ["ErrorDescription"]}, "success": {"schema": {"type": "object", "required": ["error", "ErrorDescription"], "properties": {"error": {"const": 0}, "ErrorDescription": {"type": "string"}}}}},
    "iapi": {"outputs": {"in": "body"}, "hides_errors": False, "error": {"schema": {"type": "object", "required": ["status", "message"], "properties": {"status": {"const": "error"}, "message": {"type": "string"}}}, "parameters": "errors", "message": ["message"]}},
    "phalapi": {"outputs": {"in": "member", "member": "data"}, "hides_errors": True, "error": {"schema": {"type": "object", "required": ["ret", "msg"], "properties": {"ret": {"type": "number"}, "msg": {"type": "string"}}}, "status": "ret", "message": ["msg"]}, "success": {"schema": {"type": "object", "required": ["ret", "msg"], "properties": {"ret": {"const": 200}, "msg": {"type": "string"}}}}},
    "plain": {"outputs": {"in": "body"}, "hides_errors": False, "error": {"schema": {"type": "object", "required": ["type", "title", "status"], "properties": {"type": {"const": "about:blank"}, "title": {"type": "string"}, "status": {"type": "number"}}}, "code": "code", "name": "code", "parameters": "errors", "status": "status", "message": ["detail", "title"]}},
}
API_ENVELOPE = "plain"


class Article(TypedDict):
    """An article"""

    # The id of the article
    article_id: int
    # The title
    title: Title
    # The language of the article
    language: Language
    # The login of the author
    author: str
    # The tags
    tags: Tags
    # The time at which it was created
    # A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
    created: str
    # The text
    text: Text
    # The id of the author
    author_id: int
    # The time of the last change
    # A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
    changed: str
    # The picture, if there is one
    picture: NotRequired[Picture | None]


# A description of a user
Description: TypeAlias = str


# A display name
DisplayName: TypeAlias = str


# A language (ISO 639-1 code)
Language: TypeAlias = str


class ListedArticle(TypedDict):
    """An article in a list, without its text"""

    # The id of the article
    article_id: int
    # The title
    title: Title
    # The language of the article
    language: Language
    # The login of the author
    author: str
    # The tags
    tags: Tags
    # The time at which it was created
    # A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
    created: str


class Picture(TypedDict):
    """The picture of an article"""

    # A description of the picture
    alt: str
    # The media type of the picture
    media_type: str
    # The size of the picture in bytes
    size: int


# A text to search for, ignoring case
SearchText: TypeAlias = str


# The tags of an article
Tags: TypeAlias = list[str]


# The text of an article; each line break begins a new line
Text: TypeAlias = str


# The title of an article
Title: TypeAlias = str


class AuthorGetBaseInfoGetResult(TypedDict):
    # The display name
    name: str
    # The author's description
    about: str
    # The number of articles by this author
    articles: int


class AuthorGetBaseInfoPostResult(TypedDict):
    # The display name
    name: str
    # The author's description
    about: str
    # The number of articles by this author
    articles: int


AuthorGetListGetResult = TypedDict("AuthorGetListGetResult", {
    # The authors, ordered by the number of their articles
    "list": "list[AuthorGetListGetResultListItem]",
})


class AuthorGetListGetResultListItem(TypedDict):
    # The id of the user
    id: int
    # The display name
    name: str
    # The number of articles by this author
    articles: int


AuthorGetListPostResult = TypedDict("AuthorGetListPostResult", {
    # The authors, ordered by the number of their articles
    "list": "list[AuthorGetListPostResultListItem]",
})


class AuthorGetListPostResultListItem(TypedDict):
    # The id of the user
    id: int
    # The display name
    name: str
    # The number of articles by this author
    articles: int


class SiteIndexGetResult(TypedDict):
    # The name of the site
    title: str
    # The greeting
    content: str
    # The current time in seconds since 1970
    time: int


class SiteIndexPostResult(TypedDict):
    # The name of the site
    title: str
    # The greeting
    content: str
    # The current time in seconds since 1970
    time: int


class ArticleListResult(TypedDict):
    # The articles of the page
    articles: list[ListedArticle]
    # The number of articles on all pages
    total: int


class ArticleCreateResult(TypedDict):
    # The id of the new article
    article_id: int


class ArticleLineGetResult(TypedDict):
    # The lines, ordered by article
    lines: list[ArticleLineGetResultLinesItem]


class ArticleLineGetResultLinesItem(TypedDict):
    # The id of the article
    article_id: int
    # The number of the line, from 1
    no_line: int
    # The text
    text: str


class ArticleReadResult(TypedDict):
    # The article
    article: Article


class ArticleReplaceResult(TypedDict):
    # The time of the change
    # A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
    changed: str


class ArticleIllustrateResult(TypedDict):
    # The media type of the picture, detected from its content
    media_type: str
    # The size of the picture in bytes
    size: int


class PublicationReadGetResult(TypedDict):
    # The title
    title: str
    # The text
    text: str
    # The language of the article (ISO 639-1 code)
    language: str
    # The login of the author
    author: str


class PublicationSearchPostResult(TypedDict):
    # The articles of the page
    articles: list[PublicationSearchPostResultArticlesItem]
    # The number of articles on all pages
    total: int


class PublicationSearchPostResultArticlesItem(TypedDict):
    # The id of the article
    article_id: int
    # The title
    title: str
    # The login of the author
    author: str


class UserRegisterResult(TypedDict):
    # The id of the new user
    user_id: int


class UserLoginResult(TypedDict):
    # The id of the user
    user_id: int
    # The token, to be sent as Authorization: Bearer …
    token: str
    # The time at which the token expires
    # A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
    until: str


class UserReadResult(TypedDict):
    # The profile
    user: UserReadResultUser


class UserReadResultUser(TypedDict):
    """The profile"""

    # The id of the user
    user_id: int
    # The login
    login: str
    # The display name
    name: str
    # A description of the user
    about: str
    # The role, which determines the permissions
    role: Literal["reader", "author", "editor", "admin"]
    # The time of the registration
    # A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
    since: str
    # The number of articles by the user
    articles: int


class UserUpdateResult(TypedDict):
    # The current display name
    name: str
    # The current description
    about: str


class ArticleLineFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def get(
        self,
        *,
        article_id: int | None = None,
        no_line: int | None = None,
    ) -> ArticleLineGetResult:
        """Return lines of articles, at most 1000 lines of at most 100 articles

        - article_id: The id of the article; all articles if it is empty
        - no_line: The number of the line, from 1; all lines if it is omitted

        Declared errors: no_such_article, no_such_line
        """
        _result: ArticleLineGetResult = self._api.call(
            "GET",
            ["article", "line"],
            envelope="plain",
            positions=[("article_id", article_id), ("no_line", no_line)],
        )
        return _result


class ArticleFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api
        self.line = ArticleLineFunctions(self._api)

    def create(
        self,
        *,
        title: Title,
        text: Text,
        language: Language | None = None,
        tags: Tags | None = None,
    ) -> ArticleCreateResult:
        """Create an article

        - title: The title
        - text: The text; each line break begins a new line
        - language: The language of the article (ISO 639-1 code) (default: "en")
        - tags: The tags (default: [])

        Declared errors: no_such_author
        """
        _result: ArticleCreateResult = self._api.call(
            "POST",
            ["article"],
            envelope="plain",
            body=[("title", title), ("text", text), ("language", language), ("tags", tags, "items")],
        )
        return _result

    def illustrate(
        self,
        *,
        article_id: int,
        picture: FileArgument,
        alt: str,
    ) -> ArticleIllustrateResult:
        """Upload the picture of an article, replacing the previous one

        - article_id: The id of the article
        - picture: The picture, at most 1 MiB
        - alt: A description of the picture, for people who cannot see it

        Declared errors: no_such_article, not_yours
        """
        _result: ArticleIllustrateResult = self._api.call(
            "POST",
            ["article", ("id", article_id), "picture"],
            envelope="plain",
            body=[("picture", picture), ("alt", alt)],
        )
        return _result

    def list(
        self,
        *,
        words: SearchText | None = None,
        tag: str | None = None,
        language: Language | None = None,
        author: str | None = None,
        order: Literal["newest", "oldest", "title"] | None = None,
        page: int | None = None,
        size: int | None = None,
    ) -> ArticleListResult:
        """List articles, page by page

        - words: Only articles with this text in the title or the text, ignoring case
        - tag: Only articles with this tag, ignoring case
        - language: Only articles in this language (ISO 639-1 code)
        - author: Only articles of the user with this login
        - order: The order of the articles (default: "newest")
        - page: The number of the page, from 1 (default: 1)
        - size: The number of articles on a page (default: 20)
        """
        _result: ArticleListResult = self._api.call(
            "GET",
            ["article"],
            envelope="plain",
            query=[
                ("q", words),
                ("tag", tag),
                ("language", language),
                ("author", author),
                ("order", order),
                ("page", page),
                ("size", size),
            ],
        )
        return _result

    def picture(
        self,
        *,
        article_id: int,
    ) -> Download:
        """Return the picture of an article

        - article_id: The id of the article

        Declared errors: no_such_article, no_such_picture
        """
        _result: Download = self._api.call(
            "GET",
            ["article", ("id", article_id), "picture"],
            envelope="plain",
            download=True,
        )
        return _result

    def read(
        self,
        *,
        article_id: int,
    ) -> ArticleReadResult:
        """Return an article

        - article_id: The id of the article

        Declared errors: no_such_article
        """
        _result: ArticleReadResult = self._api.call(
            "GET",
            ["article", ("id", article_id)],
            envelope="plain",
        )
        return _result

    def remove(
        self,
        *,
        article_id: int,
    ) -> None:
        """Delete an article and its picture permanently

        - article_id: The id of the article

        Declared errors: no_such_article
        """
        self._api.call(
            "DELETE",
            ["article", ("id", article_id)],
            envelope="plain",
        )

    def replace(
        self,
        *,
        article_id: int,
        title: Title,
        text: Text,
        language: Language,
        tags: Tags,
    ) -> ArticleReplaceResult:
        """Replace an article. Authors may replace their own articles, editors all

        - article_id: The id of the article
        - title: The new title
        - text: The new text
        - language: The language of the article (ISO 639-1 code)
        - tags: The tags

        Declared errors: no_such_article, not_yours
        """
        _result: ArticleReplaceResult = self._api.call(
            "PUT",
            ["article", ("id", article_id)],
            envelope="plain",
            body=[("title", title), ("text", text), ("language", language), ("tags", tags, "items")],
        )
        return _result


class AuthorGetBaseInfoFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def get(
        self,
        *,
        author_id: int | str,
    ) -> AuthorGetBaseInfoGetResult:
        """Return an author

        - author_id: The id of the user

        Declared errors: no_such_author
        """
        _result: AuthorGetBaseInfoGetResult = self._api.call(
            "GET",
            ["author", "getBaseInfo"],
            envelope="phalapi",
            query=[("author_id", author_id)],
        )
        return _result

    def post(
        self,
        *,
        author_id: int | str,
    ) -> AuthorGetBaseInfoPostResult:
        """Return an author

        - author_id: The id of the user

        Declared errors: no_such_author
        """
        _result: AuthorGetBaseInfoPostResult = self._api.call(
            "POST",
            ["author", "getBaseInfo"],
            envelope="phalapi",
            body=[("author_id", author_id)],
        )
        return _result


class AuthorGetListFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def get(
        self,
        *,
        size: int | str | None = None,
    ) -> AuthorGetListGetResult:
        """List the authors with the most articles

        - size: The maximum number of authors (default: 10)
        """
        _result: AuthorGetListGetResult = self._api.call(
            "GET",
            ["author", "getList"],
            envelope="phalapi",
            query=[("size", size)],
        )
        return _result

    def post(
        self,
        *,
        size: int | str | None = None,
    ) -> AuthorGetListPostResult:
        """List the authors with the most articles

        - size: The maximum number of authors (default: 10)
        """
        _result: AuthorGetListPostResult = self._api.call(
            "POST",
            ["author", "getList"],
            envelope="phalapi",
            body=[("size", size)],
        )
        return _result


class AuthorFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api
        self.getBaseInfo = AuthorGetBaseInfoFunctions(self._api)
        self.getList = AuthorGetListFunctions(self._api)


class IapiFileFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def download(
        self,
        *,
        filename: str,
    ) -> Download:
        """Download a file

        - filename: Path and name of the file

        Declared errors: no_such_file, not_allowed
        """
        _result: Download = self._api.call(
            "GET",
            ["iapi", "file"],
            envelope="iapi",
            query=[("filename", filename)],
            download=True,
        )
        return _result

    def upload(
        self,
        *,
        content: FileArgument,
        filename: str,
    ) -> None:
        """Upload a file

        - content: The file
        - filename: Path and name under which to store the file

        Declared errors: not_allowed, name_taken, precondition_failed, no_room
        """
        self._api.call(
            "POST",
            ["iapi", "file"],
            envelope="iapi",
            body=[("content", content), ("filename", filename)],
        )


class IapiFilesFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def upload(
        self,
        *,
        content: list[FileArgument],
        filename: list[str],
    ) -> None:
        """Upload several files, all or none

        - content: The files
        - filename: Path and name of each, in the same order

        Declared errors: count_mismatch, duplicate_filename, not_allowed, name_taken, precondition_failed, no_room
        """
        self._api.call(
            "POST",
            ["iapi", "files"],
            envelope="iapi",
            body=[("content", content, "items"), ("filename", filename, "items")],
        )


class IapiFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api
        self.file = IapiFileFunctions(self._api)
        self.files = IapiFilesFunctions(self._api)

    def cache(
        self,
        *,
        fromDB: Literal["user_info.intro_json"],
        storePath: str,
        keys: list[str],
        filenames: list[str],
    ) -> list[str]:
        """Write values of the database to files, all or none

        - fromDB: Table and column
        - storePath: Folder of the files
        - keys: Primary key of each value
        - filenames: Name of each file, in the same order

        Declared errors: count_mismatch, duplicate_filename, no_value, not_allowed, name_taken, cache_too_large, not_cacheable, no_database, no_room
        """
        _result: list[str] = self._api.call(
            "POST",
            ["iapi", "cache"],
            envelope="iapi",
            body=[
                ("fromDB", fromDB),
                ("storePath", storePath),
                ("keys", keys, "list", ","),
                ("filenames", filenames, "list", ","),
            ],
            whole=True,
        )
        return _result


class PublicationReadFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def get(
        self,
        *,
        article_id: int | str,
    ) -> PublicationReadGetResult:
        """Return an article: /publication/read/3

        - article_id: The id of the article

        Declared errors: no_such_article
        """
        _result: PublicationReadGetResult = self._api.call(
            "GET",
            ["publication", "read"],
            envelope="aicra",
            positions=[("article_id", article_id)],
        )
        return _result


class PublicationSearchFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def post(
        self,
        *,
        words: SearchText | None = None,
        language: Language | None = None,
        page: int | None = None,
    ) -> PublicationSearchPostResult:
        """Search articles, newest first, twenty on a page

        Deprecated since 2026-01-01, available until 2099-01-01; use article.list instead.

        - words: Only articles with this text in the title or the text, ignoring case
        - language: Only articles in this language (ISO 639-1 code)
        - page: The number of the page, from 1 (default: 1)
        """
        _result: PublicationSearchPostResult = self._api.call(
            "POST",
            ["publication", "search"],
            envelope="aicra",
            body=[("words", words), ("language", language), ("page", page)],
        )
        return _result


class PublicationFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api
        self.read = PublicationReadFunctions(self._api)
        self.search = PublicationSearchFunctions(self._api)


class SiteIndexFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def get(
        self,
        *,
        username: str | int | None = None,
    ) -> SiteIndexGetResult:
        """Return a greeting

        - username: The name of the reader (default: "reader")
        """
        _result: SiteIndexGetResult = self._api.call(
            "GET",
            ["site", "index"],
            envelope="phalapi",
            query=[("username", username)],
        )
        return _result

    def post(
        self,
        *,
        username: str | int | None = None,
    ) -> SiteIndexPostResult:
        """Return a greeting

        - username: The name of the reader (default: "reader")
        """
        _result: SiteIndexPostResult = self._api.call(
            "POST",
            ["site", "index"],
            envelope="phalapi",
            body=[("username", username)],
        )
        return _result


class SiteFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api
        self.index = SiteIndexFunctions(self._api)


class UserFunctions:
    def __init__(self, api: Connection) -> None:
        self._api = api

    def login(
        self,
        *,
        login: str,
        password: str,
    ) -> UserLoginResult:
        """Log in

        - login: The login
        - password: The password

        Declared errors: wrong_login, too_busy, too_many_failures, too_many_logins
        """
        _result: UserLoginResult = self._api.call(
            "POST",
            ["user", "login"],
            envelope="plain",
            body=[("login", login), ("password", password)],
        )
        return _result

    def logout(self) -> None:
        """Log out: revoke the token of this request"""
        self._api.call(
            "DELETE",
            ["user", "login"],
            envelope="plain",
        )

    def read(
        self,
        *,
        user_id: int,
    ) -> UserReadResult:
        """Return the public profile of a user

        - user_id: The id of the user

        Declared errors: no_such_user
        """
        _result: UserReadResult = self._api.call(
            "GET",
            ["user", ("user_id", user_id)],
            envelope="plain",
        )
        return _result

    def register(
        self,
        *,
        login: str,
        name: DisplayName,
        password: str,
        about: Description | None = None,
    ) -> UserRegisterResult:
        """Register as an author

        - login: The login name
        - name: The display name
        - password: The password, at least ten characters
        - about: A description of the user (default: "")

        Declared errors: login_taken, too_busy, too_many_registrations
        """
        _result: UserRegisterResult = self._api.call(
            "POST",
            ["user"],
            envelope="plain",
            body=[("login", login), ("name", name), ("password", password), ("about", about)],
        )
        return _result

    def update(
        self,
        *,
        user_id: int,
        name: DisplayName | None = None,
        about: Description | None = None,
    ) -> UserUpdateResult:
        """Change a profile; omitted members stay unchanged

        - user_id: The id of the user
        - name: The display name
        - about: A description of the user

        Declared errors: no_such_user
        """
        _result: UserUpdateResult = self._api.call(
            "PUT",
            ["user", ("user_id", user_id)],
            envelope="plain",
            body=[("name", name), ("about", about)],
        )
        return _result


class Api:
    """The functions of the API. `url` is the URL of its server, or of its base path.

    A site of articles in many languages, with their lines and pictures, and the users who write them.
    """

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
        self.article = ArticleFunctions(self._api)
        self.author = AuthorFunctions(self._api)
        self.iapi = IapiFunctions(self._api)
        self.publication = PublicationFunctions(self._api)
        self.site = SiteFunctions(self._api)
        self.user = UserFunctions(self._api)
