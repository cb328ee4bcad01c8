"""Texts that XML 1.0 can hold, whatever they say."""


def escaped(text: str) -> str:
    r"""Write what is not printable by its code, as JSON and FEEL both read it within quotes.

    >>> print(escaped("a\u0085高"))
    a\u0085高
    """
    return "".join(sign if sign.isprintable() else _codes(sign) for sign in text)


def _codes(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
