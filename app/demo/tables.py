"""What the data files of the demo book have in common: strict tables, and how they are read."""

import tomllib
from importlib import resources
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Shares = Annotated[tuple[Share, ...], Field(min_length=1)]
Weights = Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
Months = Annotated[tuple[Positive, ...], Field(min_length=12, max_length=12)]
Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Table(BaseModel):
    """A table of the data file; an unknown or missing key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sourced(Table):
    """A table of numbers that says where they come from."""

    source: Annotated[str, Field(pattern=r"^(given|judgement|calibrated)")]


_Model = TypeVar("_Model", bound=Table)


def load_table(name: str, model: type[_Model]) -> _Model:
    """Read a data file of this package.

    Raises:
        pydantic.ValidationError: if a key is unknown, missing or out of its range.
    """
    text = resources.files("app.demo").joinpath(name).read_text(encoding="utf-8")
    return model.model_validate(tomllib.loads(text))
