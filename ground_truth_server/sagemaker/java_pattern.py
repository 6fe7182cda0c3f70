"""Regular expressions of AWS's service models, which are written for Java."""

from functools import cache

import regex

_ATOM = regex.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\.")
_ANY_BUT_LINE_ENDS = r"[^\n\r\u0085\u2028\u2029]"


@cache
def java_pattern(pattern: str) -> regex.Pattern[str]:
    r"""Compile a pattern so that ``fullmatch`` accepts what Java's ``Pattern.matches`` accepts.

    The standard library's ``re`` knows no Unicode properties (``\p{L}``, in the patterns of tags and user
    groups), hence the ``regex`` package. Two differences remain and are settled here: in Java ``\d`` and
    ``\w`` mean ASCII, and ``.`` stops at every Unicode line end, not only at ``\n``.

    Args:
        pattern: The pattern as the service model has it.

    Returns:
        The compiled pattern.
    """
    dotted = _ATOM.sub(lambda atom: _ANY_BUT_LINE_ENDS if atom[0] == "." else atom[0], pattern)
    # ASCII would narrow \p{L} as well. No pattern of the model mixes the two.
    return regex.compile(dotted, regex.UNICODE if r"\p{" in pattern else regex.ASCII)
