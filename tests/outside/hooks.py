"""What schemathesis cannot know by itself: texts of our own formats, and files of their media types."""

import base64
import unicodedata

import schemathesis
from hypothesis import strategies as st

# `datetime` is wider than JSON Schema's `date-time`: RFC 3339, `YYYY-MM-DD hh:mm:ss`, or a date.
moments = st.datetimes().map(lambda moment: moment.replace(microsecond=0))
schemathesis.openapi.format(
    "datetime",
    st.one_of(
        moments.map(lambda moment: f"{moment.isoformat()}Z"),
        moments.map(lambda moment: moment.isoformat(sep=" ")),
        moments.map(lambda moment: moment.date().isoformat()),
    ),
)

# `url` takes those of http and https with a host alone.
labels = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
schemathesis.openapi.format("uri", st.builds("http://{}.example/{}".format, labels, labels))

# Numbers in texts are finite.
schemathesis.openapi.format("float-text", st.floats(allow_nan=False, allow_infinity=False).map(repr))

# The media type of a file is recognised by its content.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
for media_type in ("image/png", "image/*", "image/jpeg", "image/webp"):
    schemathesis.openapi.media_type(media_type, st.just(PNG))

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def properties(case):
    """The schemas of a form's fields."""
    for body in case.operation.body:
        if body.media_type == case.media_type:
            return (body.resolved_schema or {}).get("properties", {})
    return {}


@schemathesis.hook
def filter_case(context, case):
    """Leaves out forms that are not what they are taken for, JSONP, and a header field that is let pass."""
    # A script comes without a credential, which all requests here have, and always has the status of a success.
    if "callback" in (case.query or {}):
        return False
    # The one value that means something is told; all others are let pass.
    if any(name.lower() == "x-requested-with" and value != "XMLHttpRequest" for name, value in (case.headers or {}).items()):
        return False
    if case.media_type not in FORMS or not isinstance(case.body, dict):
        return True
    # A part's name stands in its header, which takes no control characters (RFC 9110 section 5.5).
    if any(unicodedata.category(letter) == "Cc" for name in case.body for letter in str(name)):
        return False
    for name, schema in properties(case).items():
        value = case.body.get(name)
        # Objects are written as JSON, as the encoding says, and not field by field.
        if isinstance(value, dict) and case.media_type != "multipart/form-data":
            return False
        # A field that is there once is a list of one: on the wire both are the same, though the one is taken for
        # another type than the other.
        if schema.get("type") == "array" and name in case.body and not isinstance(value, list):
            return False
        # Beside a file of a media type from above every other field is filled with an empty text and taken for good.
        if value == "" and schema.get("minLength", 0) > 0 and case.meta.generation.mode.is_positive:
            return False
    return True
