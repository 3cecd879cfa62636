"""Hooks of schemathesis. They generate values for rulebook's formats and files of some media types, write forms as the
document describes them, and exclude cases and failures."""

import base64
import json
import re
import unicodedata
from datetime import date, timedelta
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.core.parameters import ParameterLocation
from schemathesis.transport import register_serializer
from schemathesis.transport.requests import REQUESTS_TRANSPORT
from schemathesis.transport.serialization import Binary

# Rulebook's type `url` accepts only http and https URLs with a host.
labels = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
schemathesis.openapi.format("uri", st.builds("http://{}.example/{}".format, labels, labels))

# The server detects the media type of a file from its content, so that generated files begin with these bytes.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
for media_type in ("image/png", "image/*", "image/jpeg", "image/webp"):
    schemathesis.openapi.media_type(media_type, st.just(PNG))

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"

# The functions with which schemathesis writes bodies that are not a form, although the request says so.
write_other = {kind: REQUESTS_TRANSPORT.get_first_matching_media_type(kind)[1] for kind in (MULTIPART, URLENCODED)}


def body_of(case, media_type):
    """Returns the schema and the encodings of the body with a media type."""
    body = next((body for body in case.operation.body if body.media_type == media_type), None)
    return (body.resolved_schema or {}, body.definition.get("encoding", {})) if body else ({}, {})


def resolved(schema, bundled):
    """Returns a schema in place of a reference to it. It can refer to the other bundled schemas."""
    target = bundled.get(schema.get("$ref", "").removeprefix("#/x-bundled/"), {})
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}, "x-bundled": bundled}


def properties(schema):
    """Returns the schemas of an object's members."""
    # The member in which schemathesis keeps the schemas to which other schemas refer.
    bundled = schema.get("x-bundled", {})
    return {name: resolved(field, bundled) for name, field in schema.get("properties", {}).items()}


def is_file(schema):
    """Returns whether a field of a form is a file, or a list of files."""
    return any(part.get("format") == "binary" for part in (schema, schema.get("items", {})))


def text_of(value):
    """Returns the text of a value that is not written as JSON. Numbers, booleans and null have their text in JSON."""
    return value if isinstance(value, (str, bytes)) else json.dumps(value)


def as_list(value):
    return value if isinstance(value, list) else [value]


def texts_of(value, encoding):
    """Returns the texts of a field, as its Encoding Object describes them."""
    if encoding.get("contentType") == JSON:
        return [json.dumps(value)]
    texts = [text_of(item) for item in as_list(value)]
    return [",".join(texts)] if isinstance(value, list) and encoding.get("explode") is False else texts


def files_of(value):
    """Returns the contents of the files of a field."""
    contents = [file.data if isinstance(file, Binary) else text_of(file) for file in as_list(value)]
    return [content if isinstance(content, bytes) else content.encode() for content in contents]


def write_form(context, value):
    """Writes a form. schemathesis ignores that the document says for a field that its text is JSON: it would send the
    items of a list without quotes, and nothing of an empty list."""
    case = context.case
    if not isinstance(case.body, dict):
        return write_other[case.media_type](context, value)
    schema, encodings = body_of(case, case.media_type)
    fields = properties(schema)
    parts = []
    for name, field in case.body.items():
        if is_file(fields.get(name, {})):
            parts.extend((name, (f"{name}.png", content)) for content in files_of(field))
        else:
            parts.extend((name, (None, text)) for text in texts_of(field, encodings.get(name, {})))
    if case.media_type == URLENCODED:
        return {"data": urlencode([(name, text) for name, (_, text) in parts]).encode()}
    if parts:
        return {"files": parts}
    return {"data": b"--x--\r\n", "headers": {"Content-Type": f"{MULTIPART}; boundary=x"}}


register_serializer(write_form, MULTIPART, URLENCODED)


def is_valid(schema, value):
    return Draft202012Validator(schema).is_valid(value)


def scalars(text):
    """Returns the values that a text can be: itself, and the value other than a text of which it is the JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        return [text]
    return [text] if isinstance(value, str) else [text, value]


def may_be_valid(texts, schema, encoding, in_json):
    """Returns whether the texts of a field, or of a parameter of the query, can be read as a valid value. `in_json` is
    the schema of the value in a JSON body: the text of a list can also be JSON."""
    single = scalars(texts[0]) if len(texts) == 1 else []
    if encoding.get("contentType") == JSON or "content" in encoding:
        return any(is_valid(schema, value) for value in single)
    # The schema of a list excludes with `not` the items that the server would read in another way if they were alone,
    # such as the beginning of a list in JSON.
    items = {key: value for key, value in schema.get("items", {}).items() if key != "not"}
    schema = {**schema, "items": items} if "items" in schema else schema
    items["x-bundled"] = schema["x-bundled"]
    split = texts[0].split(",") if single and encoding.get("explode") is False else texts
    several = [next((item for item in scalars(text) if is_valid(items, item)), text) for text in split]
    if any(is_valid(schema, value) for value in [*single, several]):
        return True
    return any(is_valid(in_json, value) for value in single if isinstance(value, list))


def is_certainly_invalid(case):
    """Returns whether no reading of a request's texts is valid. Texts have no types: the number 1 and the text "1" are
    the same, and so are a text and the list with this text, although schemathesis considers one of them invalid."""
    negative = [location for location, part in case.meta.components.items() if part.mode.is_negative]
    if negative == [ParameterLocation.QUERY]:
        fields = {parameter.name: parameter.definition for parameter in case.operation.query}
        schemas = {name: {"x-bundled": {}, **field.get("schema", {})} for name, field in fields.items()}
        in_json = schemas
        required = [name for name, field in fields.items() if field.get("required")]
        texts = {name: as_list(value) for name, value in (case.query or {}).items()}
    elif negative == [ParameterLocation.BODY] and case.media_type in write_other and isinstance(case.body, dict):
        schema, fields = body_of(case, case.media_type)
        schemas = properties(schema)
        in_json = schemas | properties(body_of(case, JSON)[0])
        required = schema.get("required", [])
        texts = {name: texts_of(value, fields.get(name, {})) for name, value in case.body.items()}
        if schema.get("additionalProperties") is False and not set(texts) <= set(schemas):
            return True
    else:
        return True
    known = [name for name in texts if name in schemas and texts[name] and not is_file(schemas[name])]
    readable = [
        may_be_valid(list(map(str, texts[name])), schemas[name], fields.get(name, {}), in_json[name]) for name in known
    ]
    return any(not texts.get(name) for name in required) or not all(readable)


def is_beyond_schemas(expected, got):
    """Returns whether a JSON Schema accepts a text that the server rejects with this expectation, because no keyword
    describes the reason: docs/types.md lists these values. `got` is the text in JSON."""
    if not got or not got.startswith('"'):
        return False
    got = json.loads(got)
    if expected.startswith("a date and time"):
        # A schema compares only the date of a time with the bounds. The offset of each from UTC is up to a day.
        bounds = [date.fromisoformat(text) for text in re.findall(r"\d{4}-\d\d-\d\d", expected)]
        if ":60" in got or bounds and "-02-29" in got:
            return True
        return any(abs(bound - date.fromisoformat(got[:10])) <= timedelta(days=2) for bound in bounds)
    # The text of a number can be outside the bounds.
    kind = r"(?:a number|a string with a decimal number)"
    bounds = re.fullmatch(kind + r" (?:from (\S+) to |of at least ([^\s,]+)|of at most )([^\s,]*)(?:, which .*)?", expected)
    if bounds and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", got):
        low, high = bounds[1] or bounds[2] or "-inf", bounds[3] or "inf"
        return not float(low) <= float(got) <= float(high)
    return False


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops failures of cases that schemathesis classifies incorrectly."""
    if failure.code == "ST201":
        return is_certainly_invalid(case)
    if failure.code == "ST202" and response.status_code == 400:
        errors = response.json().get("errors")
        return not errors or not all(is_beyond_schemas(error["expected"], error["got"]) for error in errors)
    return True


@schemathesis.hook
def filter_case(context, case):
    """Excludes JSONP, and forms that no client can send or that schemathesis fills incorrectly."""
    # JSONP requests are anonymous although they have a credential, and JSONP responses always have the status of a success.
    if "callback" in (case.query or {}):
        return False
    if case.media_type not in write_other or not isinstance(case.body, dict):
        return True
    # The name of a part of the form is in a header field, which cannot contain control characters (RFC 9110 section 5.5).
    if any(unicodedata.category(letter) == "Cc" for name in case.body for letter in str(name)):
        return False
    for name, schema in properties(body_of(case, case.media_type)[0]).items():
        value = case.body.get(name)
        # schemathesis sometimes fills a file with text, and considers that valid.
        if is_file(schema) and value != PNG and case.meta.generation.mode.is_positive and isinstance(value, (str, bytes)):
            return False
        # If a form has a file of one of the media types above, schemathesis fills the other fields with empty text and
        # considers that valid.
        if value == "" and case.meta.generation.mode.is_positive and not is_valid(schema, ""):
            return False
    return True


@schemathesis.hook
def before_add_examples(context, examples):
    """Applies the same filter to the cases that are made from the examples of the document."""
    examples[:] = [case for case in examples if filter_case(context, case)]
