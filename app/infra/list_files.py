"""Lists that are asked for as a page or as a file: which of the two, and how the file is headed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from fastapi import Request

from app.domain.privacy.actor import Actor
from app.infra.auth import charge
from app.infra.downloads import ListFile
from app.infra.locale import Locale
from app.infra.masking import MaskedRead
from app.infra.media_types import CSV, JSON, XLSX
from app.infra.negotiation import preferred_media_type
from app.infra.pagination import PageQuery
from app.infra.problems import FieldError, ProblemError
from app.infra.rate_limit import RateClass

LONGEST_LIST_SECONDS: Final = 300
"""For a list of the largest size, and those before it whose turn it is."""


def media_type_of_list(request: Request, actor: Actor, accept: str | None) -> str:
    """The media type that a list is answered as; a file is all of it, and costs more than a page.

    Raises:
        ProblemError: none that is accepted, a page of a file, or too many files.
    """
    media_type = preferred_media_type(accept, [JSON, CSV, XLSX])
    if media_type is None:
        raise ProblemError("not-acceptable")
    if media_type != JSON:
        paged = [name for name in PageQuery.model_fields if name in request.query_params]
        if paged:
            errors = [FieldError(("query", name), "file_without_pages") for name in paged]
            raise ProblemError("validation", errors=errors)
        charge(request, actor, RateClass.COSTLY)
    return media_type


def headed_file(row: type[MaskedRead], words: str, media_type: str, locale: Locale) -> ListFile:
    """How a list leaves as a file: a column for each field of a row.

    Args:
        row: the model of a row; the words stand beside its module.
        words: name of the TOML file that has `stem`, `title`, `masked` and `columns`.
        media_type: `CSV` or `XLSX`.
        locale: the language of the texts.
    """
    texts = _texts(row.__module__.rpartition(".")[0], words)
    return ListFile(
        media_type=media_type,
        stem=texts["stem"],
        title=texts["title"][locale],
        columns={
            name: texts["columns"][name][locale] for name in row.model_fields if name != "meta"
        },
        masked=texts["masked"][locale],
        locale=locale,
    )


@cache
def _texts(package: str, words: str) -> Mapping[str, Any]:
    return tomllib.loads(resources.files(package).joinpath(words).read_text(encoding="utf-8"))
