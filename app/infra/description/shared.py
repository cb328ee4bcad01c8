"""What many operations say alike is said once, among the components, and referred to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from app.infra.problems import PROBLEM_MEDIA_TYPE

_FEWEST: Final = 2

_Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part of an operation stands, which a reference may stand for."""

    within: Any
    at: Any

    @property
    def part(self) -> _Node:
        found: _Node = self.within[self.at]
        return found


def share(document: _Node) -> None:
    """Say once, in place, the problems, and what else is said alike by several operations.

    A problem's example is named by its slug, a response by its problems, or its status if it has
    no body, and a parameter by its place and name. What a name would mean differently in several
    places stays there.

    Args:
        document: a finished description; its references resolved, it is the same afterwards.
    """
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    for section, named, fewest in (
        ("examples", _examples, 1),
        ("responses", _responses, _FEWEST),
        ("parameters", _parameters, _FEWEST),
    ):
        places: defaultdict[str, list[_Place]] = defaultdict(list)
        for operation in operations:
            for name, place in named(operation):
                places[name].append(place)
        shared = {
            name: _moved(found, f"#/components/{section}/{name}")
            for name, found in sorted(places.items())
            if len(found) >= fewest and all(one.part == found[0].part for one in found)
        }
        if shared:
            document.setdefault("components", {})[section] = shared


def _moved(places: list[_Place], reference: str) -> _Node:
    """What stands at the places, each of which refers to it then."""
    part = places[0].part
    for place in places:
        place.within[place.at] = {"$ref": reference}
    return part


def _problems(response: _Node) -> _Node:
    """The examples of a response's problems, by slug."""
    found: _Node = response.get("content", {}).get(PROBLEM_MEDIA_TYPE, {}).get("examples", {})
    return found


def _examples(operation: _Node) -> Iterator[tuple[str, _Place]]:
    for response in operation["responses"].values():
        examples = _problems(response)
        for slug in examples:
            yield slug, _Place(examples, slug)


def _responses(operation: _Node) -> Iterator[tuple[str, _Place]]:
    responses = operation["responses"]
    for status, response in responses.items():
        if problems := _problems(response):
            yield ".".join(problems), _Place(responses, status)
        elif "content" not in response:
            phrase = HTTPStatus(int(status)).phrase
            yield phrase.lower().replace(" ", "-"), _Place(responses, status)


def _parameters(operation: _Node) -> Iterator[tuple[str, _Place]]:
    parameters = operation.get("parameters", [])
    for index, parameter in enumerate(parameters):
        # One that is left out by some callers is another one where it is needed.
        is_insisted_on = parameter.get("required") and parameter["in"] != "path"
        ending = ".required" if is_insisted_on else ""
        yield f"{parameter['in']}.{parameter['name']}{ending}", _Place(parameters, index)
