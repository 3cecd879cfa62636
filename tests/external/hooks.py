"""Hooks of schemathesis. They generate values for rulebook's formats and files of some media types, and exclude cases."""

import base64
import unicodedata

import schemathesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

# Rulebook's type `url` accepts only http and https URLs with a host.
labels = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
schemathesis.openapi.format("uri", st.builds("http://{}.example/{}".format, labels, labels))

# The server detects the media type of a file from its content, so that generated files begin with these bytes.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
for media_type in ("image/png", "image/*", "image/jpeg", "image/webp"):
    schemathesis.openapi.media_type(media_type, st.just(PNG))

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def properties(case):
    """Returns the schemas of a form's fields."""
    for body in case.operation.body:
        if body.media_type == case.media_type:
            schema = body.resolved_schema or {}
            # The member in which schemathesis keeps the schemas to which other schemas refer.
            bundled = schema.get("x-bundled", {})
            return {name: resolved(field, bundled) for name, field in schema.get("properties", {}).items()}
    return {}


def resolved(schema, bundled):
    """Returns a schema in place of a reference to it. It can refer to the other bundled schemas."""
    target = bundled.get(schema.get("$ref", "").removeprefix("#/x-bundled/"), {})
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}, "x-bundled": bundled}


@schemathesis.hook
def filter_case(context, case):
    """Excludes JSONP, and forms that schemathesis classifies incorrectly."""
    # JSONP requests are anonymous although they have a credential, and JSONP responses always have the status of a success.
    if "callback" in (case.query or {}):
        return False
    if case.media_type not in FORMS or not isinstance(case.body, dict):
        return True
    # The name of a part of the form is in a header field, which cannot contain control characters (RFC 9110 section 5.5).
    if any(unicodedata.category(letter) == "Cc" for name in case.body for letter in str(name)):
        return False
    for name, schema in properties(case).items():
        value = case.body.get(name)
        # An object in a form is sent as JSON and not as a list of fields.
        if isinstance(value, dict) and case.media_type != "multipart/form-data":
            return False
        # A single value and a list with this value are sent in the same way, although schemathesis considers one of them
        # invalid.
        if schema.get("type") == "array" and name in case.body and not isinstance(value, list):
            return False
        # schemathesis sometimes fills a file with text, and considers that valid.
        is_file = schema.get("format") == "binary" or "contentMediaType" in schema
        if is_file and value != PNG and case.meta.generation.mode.is_positive and isinstance(value, (str, bytes)):
            return False
        # If a form has a file of one of the media types above, schemathesis fills the other fields with empty text and
        # considers that valid.
        if value == "" and case.meta.generation.mode.is_positive and not Draft202012Validator(schema).is_valid(""):
            return False
    return True


@schemathesis.hook
def before_add_examples(context, examples):
    """Applies the same filter to the cases that are made from the examples of the document."""
    examples[:] = [case for case in examples if filter_case(context, case)]
