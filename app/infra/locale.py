"""The language of texts for people: English or Chinese, by `Accept-Language`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import Request

_LONGEST_HEADER = 512


class Locale(StrEnum):
    """The languages every text exists in."""

    EN = "en"
    ZH = "zh"


def preferred_locale(accept_language: str | None) -> Locale:
    """The language that a caller prefers among ours; English if he names none of them.

    >>> preferred_locale("zh-CN,zh;q=0.9,en;q=0.8").value
    'zh'
    >>> preferred_locale("fr, en;q=0.1, zh;q=0").value
    'en'
    """
    best, best_quality = Locale.EN, 0.0
    for item in (accept_language or "")[:_LONGEST_HEADER].split(","):
        tag, _, parameter = item.partition(";")
        quality = _quality(parameter)
        language = tag.strip().lower().partition("-")[0]
        if language in set(Locale) and quality > best_quality:
            best, best_quality = Locale(language), quality
    return best


def _quality(parameter: str) -> float:
    name, equals, value = parameter.strip().partition("=")
    if not equals:
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip() == "q" and 0.0 <= quality <= 1.0 else 0.0


def locale_of(headers: Headers) -> Locale:
    """The language that a request's headers ask for."""
    return preferred_locale(headers.get("accept-language"))


async def request_locale(request: Request) -> Locale:
    """The language of a request, as a dependency."""
    return locale_of(request.headers)


RequestLocale = Annotated[Locale, Depends(request_locale)]


def language_headers(locale: Locale) -> dict[str, str]:
    """Headers of an answer with texts for people."""
    return {"Content-Language": locale.value, "Vary": "Accept-Language"}
