"""JSON as Ground Truth's files hold it: compact, UTF-8."""

import json


def write_json(value: object) -> str:
    """Write a value as compact JSON.

    Text that UTF-8 can't hold (half of a surrogate pair, which JSON allows as an escape) stays escaped.

    Raises:
        ValueError: If the value holds a number that JSON can't.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text
