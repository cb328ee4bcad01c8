"""Texts that XML 1.0 can hold, whatever they say."""

import json


def escaped(text: str) -> str:
    r"""Write what is not printable as JSON does; only for text where such escapes are read.

    >>> print(escaped("a\u0085高"))
    a\u0085高
    """
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
