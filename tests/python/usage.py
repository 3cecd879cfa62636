"""Calls methods of the article site, and of a server that responds with its arguments, with their Python clients.

The arguments are the URL of the article site, an API key for it, and the URL of the other server.
"""

import base64
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from articles import Api, ApiError, Article, File, ListedArticle
from echo import Api as EchoApi
from echo import ApiError as EchoError
from echo import File as EchoFile
from echo import FileArgument

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def use_articles(url: str, key: str) -> None:
    api = Api(url)
    result = api.article.list(size=2, order="oldest")
    listed: ListedArticle = result["articles"][0]
    assert len(result["articles"]) == 2 and result["total"] > 2 and isinstance(listed["title"], str), result
    found = api.publication.search.post(words="marché")
    assert all(isinstance(one["article_id"], int) for one in found["articles"]), found
    lines = api.article.line.get(no_line=1)["lines"]
    assert {line["no_line"] for line in lines} == {1}, lines

    # An error that the definition declares, in two envelopes.
    for call in (lambda: api.article.read(article_id=999999), lambda: api.author.getBaseInfo.get(author_id=999999)):
        try:
            call()
        except ApiError as error:
            assert error.status == 404 and error.message, error
            assert error.declared in ("no_such_article", None), error.declared
        else:
            raise AssertionError("the article exists")
    try:
        api.article.list(page=0)
    except ApiError as error:
        assert (error.status, error.errors[0]["parameter"]) == (400, "page"), error.errors
    else:
        raise AssertionError("the page exists")

    api.user.register(login="python", password="correct horse battery", name="Ada ü 你")
    token = api.user.login(login="python", password="correct horse battery")["token"]
    writer = Api(url, token=token)
    article_id = writer.article.create(title="By Python", text='ü "你"\n', tags=["a", "b"])["article_id"]
    article: Article = api.article.read(article_id=article_id)["article"]
    assert (article["text"], article["tags"], article.get("picture")) == ('ü "你"\n', ["a", "b"], None), article

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dot.png"
        path.write_bytes(PICTURE)
        stored = writer.article.illustrate(article_id=article_id, alt="A dot ü", picture=path)
    assert stored == {"media_type": "image/png", "size": len(PICTURE)}, stored
    picture = api.article.picture(article_id=article_id)
    assert (picture.content, picture.status) == (PICTURE, 200) and picture.headers["content-type"] == "image/png", picture
    changed = Api(url, token=token, headers={"If-None-Match": picture.headers["etag"]}).article.picture(article_id=article_id)
    assert (changed.status, changed.content) == (304, b""), changed
    try:
        api.article.remove(article_id=article_id)
    except ApiError as error:
        assert error.status == 401, error
    else:
        raise AssertionError("an anonymous caller has removed an article")

    # The internal API has an envelope of its own, and methods without outputs.
    internal = Api(url, token=key)
    names = ["public/图/1.png", "public/2.png"]
    internal.iapi.files.upload(content=[PICTURE, File('d"o\nt.png', PICTURE, "image/png")], filename=names)
    downloaded = internal.iapi.file.download(filename=names[0])
    assert downloaded.content == PICTURE and downloaded.filename, downloaded


def use_echo(url: str) -> None:
    """Checks that arguments in every location arrive unchanged."""
    api = EchoApi(url)
    texts = ["a", " a ", "", "12", "true", "null", "[1", "[1]", '{"a":1}', 'a&b=c+d%20#?/\\"', "ü 你 😀", "a;;b", "a,b", ";"]
    lists = [[], ["a", "b"], texts, *([text] for text in texts)]
    for text in texts:
        assert api.query.get(text=text)["args"]["text"] == text, text
        assert api.body.post(text=text)["args"]["text"] == text, text
        assert api.body.delete(text=text)["args"]["text"] == text, text
        if text.strip() == text:
            assert api.header.get(text=text)["args"]["text"] == text, text
        if ";" not in text:
            assert api.cookie.get(text=text)["args"]["text"] == text, text
        if text:
            assert api.path.get(text=text)["args"]["text"] == text, text
    for items in lists:
        for call in (api.query.get, api.body.post, api.body.delete, api.path.get, api.header.get):
            for name in ("texts", "split", "trimmed", "coded"):
                if name == "trimmed" and " a " in items:
                    continue
                arguments: dict[str, Any] = {name: items}
                result = call(**arguments)["args"]
                assert result[name] == items, (name, items, result)
        result = api.form.post(texts=items, split=items, file=b"x", object={"a": [1, None]})["args"]
        assert (result["texts"], result["split"], result["object"]) == (items, items, {"a": [1, None]}), result
    for number in (0, -1, 9007199254740993, -(2**63)):
        assert api.query.get(whole=number)["args"]["whole"] == number
    for real in (0.5, 1e21, 1e-7, 1.7976931348623157e308):
        assert api.query.get(real=real)["args"]["real"] == real
    for choice in (True, False):
        assert api.query.get(choice=choice)["args"]["choice"] is choice
    # The parameters are keywords, and names of the types and of the function itself.
    result = api.words.post(class_="a", self_="b", list=["c"], from_=None)["args"]
    assert {name: result[name] for name in ("class", "self", "list")} == {"class": "a", "self": "b", "list": ["c"]}, result
    # Null is a value of a parameter that is not optional.
    assert api.words.put(value=None)["args"] == {"value": None}
    unions = api.unions
    functions: list[Callable[..., Any]] = [unions.query.get, unions.header.get, unions.cookie.get, unions.path.get]
    mixed_values: list[str | int | list[int]] = ["7", "[1]", "", " x ", "null", "abc", '"', "ü", 7, [1]]
    for mixed in mixed_values:
        for function in functions:
            result = function(mixed=mixed, nullable=None)["args"]
            assert (result["mixed"], result["nullable"]) == (mixed, None), (mixed, result)
        result = unions.form.post(mixed=mixed, nullable=None, file=b"x")["args"]
        assert (result["mixed"], result["nullable"]) == (mixed, None), (mixed, result)
    for text in (" a", "a\n b"):
        try:
            api.header.get(text=text)
        except ValueError as error:
            assert "x-text" in str(error), error
        else:
            raise AssertionError(f"{text!r} is in a header field")
    # A file is the whole body.
    files: list[tuple[FileArgument, str]] = [
        (b"text", "file"),
        (EchoFile('d"o é', b"text", "text/csv"), 'd"o é'),
        (Path(__file__), "usage.py"),
    ]
    for file, name in files:
        sent = api.raw.put(file=file)["args"]["file"]
        assert sent["filename"] == name and sent["size"] > 3, sent
    assert api.raw.put()["args"]["file"] is None
    try:
        api.raw.put(file=EchoFile("a", b"text", "audio/mpeg"))
    except EchoError as error:
        assert error.status == 415, error.body
    else:
        raise AssertionError("the media type is not in the range")
    # A value is the whole body. Without an optional one, there is no body.
    for values in ([], [1, "ü", None], [{"a": [True]}], [b"x".hex()]):
        assert api.whole.post(items=values)["args"] == {"items": values}, values
    changed = api.whole.patch(body={"a": {"b": []}}, text="c")["args"]
    assert changed == {"body": {"a": {"b": []}}, "text": "c"}, changed
    assert api.whole.patch()["args"].get("body") is None
    for value in (3, None):
        assert api.whole.put(body=value)["args"] == {"body": value}, value
    for invalid in ("", ".", ".."):
        try:
            api.path.get(text=invalid)
        except ValueError:
            continue
        raise AssertionError(f"{invalid!r} is in a path")


if __name__ == "__main__":
    use_articles(sys.argv[1], sys.argv[2])
    use_echo(sys.argv[3])
