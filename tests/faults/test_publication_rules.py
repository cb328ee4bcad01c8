"""Through psql, as the role the application has: nobody publishes what he had a hand in.

`BASE` is accepted: Ada and Alan edited a draft, and its version is stored. Each flaw is SQL that is
refused after it, by the constraint it is listed under.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.conftest import made_databases
from tests.faults.override_rules import NOW, TODAY, insert, person
from tests.psql import as_application, psql

DRAFT: Final = "'01900000-0000-7000-8000-0000000000d1'"
AGAIN: Final = "'01900000-0000-7000-8000-0000000000d2'"
ONE: Final = "repeat('1', 64)"
TWO: Final = "repeat('2', 64)"
_GOOD: Final = "so far so good"


def draft(**changes: str) -> str:
    """An open draft; values are SQL."""
    row = {
        "id": DRAFT,
        "rule_set_id": "'own'",
        "product_line": "'motor'",
        "revision": "1",
        "document": "'{}'",
        "hash": ONE,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return insert("rule_set_drafts", row | changes)


def editor(who: str, *, of: str = DRAFT) -> str:
    """Somebody edited it."""
    return insert(
        "rule_set_draft_editors", {"draft_id": of, "editor": f"'{who}'", "edited_at": NOW}
    )


def version(number: int = 1, **changes: str) -> str:
    """A stored version; values are SQL."""
    row = {
        "rule_set_id": "'own'",
        "version": str(number),
        "product_line": "'motor'",
        "document": "'{}'",
        "hash": ONE,
        "origin": "'published'",
    }
    return insert("rule_set_versions", row | changes)


def publication(**changes: str) -> str:
    """A publisher publishes the draft; values are SQL."""
    row = {
        "id": "gen_random_uuid()",
        "rule_set_id": "'own'",
        "kind": "'published'",
        "product_line": "'motor'",
        "version": "1",
        "effective_on": TODAY,
        "activation_id": "gen_random_uuid()",
        "authors": "'{alan,ada}'",
        "published_by": "'pia'",
        "published_at": NOW,
    }
    return insert("rule_set_publications", row | changes)


RETIRED: Final = {"kind": "'retired'", "version": "NULL", "activation_id": "NULL"}
PEOPLE: Final = (
    person("ada", "rule_author", "rule_publisher")
    + person("alan", "rule_author")
    + person("pia", "rule_publisher")
)
BASE: Final = PEOPLE + draft() + editor("ada") + editor("alan") + version()
ANEW: Final = {"kind": "'republished'"}

#: Constraint, and what it keeps out after `BASE`.
FLAWS: Final = (
    ("ck_rule_set_publications_publisher_is_author", publication(published_by="'ada'")),
    ("ck_rule_set_publications_publisher", publication(published_by="'alan'")),
    (
        "ck_rule_set_publications_publisher",
        person("pia", "analyst", at=f"{NOW} + interval '1 hour'") + publication(),
    ),
    # An author who leaves himself out is still one.
    (
        "ck_rule_set_publications_authors",
        publication(published_by="'ada'", authors="'{alan}'"),
    ),
    ("ck_rule_set_publications_authors", publication(authors="'{alan,ada,pia}'")),
    ("ck_rule_set_publications_authors", publication(authors="'{}'")),
    # Nor does one whose draft was discarded and opened again by another.
    (
        "ck_rule_set_publications_authors",
        "DELETE FROM rule_set_drafts;\n"
        + draft(id=AGAIN)
        + editor("alan", of=AGAIN)
        + publication(published_by="'ada'", authors="'{alan}'"),
    ),
    # Nor does a version that is put in force anew forget who wrote it.
    (
        "ck_rule_set_publications_authors",
        publication() + publication(**ANEW, published_by="'ada'", authors="'{alan}'"),
    ),
    ("ck_rule_set_publications_authors", publication(**ANEW)),
    ("ck_rule_set_publications_draft", version(2, hash=TWO) + publication(version="2")),
    ("ck_rule_set_publications_draft", "DELETE FROM rule_set_drafts;\n" + publication()),
    ("ck_rule_set_publications_line", publication(product_line="'life'")),
    ("ck_rule_set_publications_line", publication(version="7")),
    ("ck_rule_set_publications_version", publication(**RETIRED | {"version": "1"})),
    ("ck_rule_set_publications_activation", publication(activation_id="NULL")),
    (
        "ck_rule_set_publications_all_decides",
        publication(**RETIRED, authors="'{}'", product_line="'all'"),
    ),
    ("ck_rule_set_publications_pia_ref", publication(pia_ref="''")),
    ("uq_rule_set_drafts_rule_set_id", draft(id="gen_random_uuid()")),
    ("ck_rule_set_drafts_next_revision", "UPDATE rule_set_drafts SET updated_at = now();\n"),
    ("ck_rule_set_drafts_next_revision", "UPDATE rule_set_drafts SET revision = 3;\n"),
    (
        "ck_rule_set_drafts_fixed",
        "UPDATE rule_set_drafts SET revision = 2, rule_set_id = 'other';\n",
    ),
    (
        "ck_rule_set_draft_editors_stay",
        "UPDATE rule_set_draft_editors SET editor = 'pia' WHERE editor = 'ada';\n",
    ),
    ("fk_rule_set_draft_editors_editor", editor("nobody")),
)
#: What the application's role may not, whatever its rows say.
NOT_GRANTED: Final = (
    "DELETE FROM rule_set_draft_editors",
    "UPDATE rule_set_authors SET author = 'pia'",
    "DELETE FROM rule_set_authors",
    "UPDATE rule_set_publications SET published_by = 'ada'",
    "DELETE FROM rule_set_publications",
    "UPDATE rule_set_versions SET origin = 'loaded'",
    "DELETE FROM rule_set_versions",
)


@pytest.fixture(scope="module")
def owner_url(server_url: str) -> Iterator[str]:
    """A migrated database without rule sets."""
    with made_databases(server_url) as make:
        yield make()


@pytest.fixture(scope="module")
def url(owner_url: str) -> str:
    """The same, for the application's role."""
    return as_application(owner_url)


def tried(
    url: str, good: str, flaw: str = "", *, level: str = "READ COMMITTED"
) -> tuple[str, str | None, str | None]:
    """What is said of some SQL and of a flaw after it; nothing of either stays."""
    script = f"BEGIN ISOLATION LEVEL {level};\n{good}\\echo {_GOOD}\n{flaw}ROLLBACK;\n"
    said = psql(url, script)
    return said.output.strip(), said.constraint, said.state


@pytest.mark.parametrize(
    "course",
    [
        publication(),
        publication() + "DELETE FROM rule_set_drafts;\n",
        publication() + publication(**ANEW),
        publication(**RETIRED, authors="'{}'"),
        publication(**ANEW, authors="'{}'", published_by="'ada'"),
        "UPDATE rule_set_drafts SET revision = 2;\n",
    ],
)
def test_the_good_course_is_accepted(url: str, course: str) -> None:
    """Without it, a refusal would tell nothing; a loaded version has no authors on record."""
    assert tried(url, BASE + course) == (_GOOD, None, None)


@pytest.mark.parametrize(("constraint", "flaw"), FLAWS)
def test_a_forbidden_row_fails_on_its_constraint(url: str, constraint: str, flaw: str) -> None:
    assert tried(url, BASE, flaw)[:2] == (_GOOD, constraint)


def test_who_may_publish_is_asked_of_the_newest_rows(url: str) -> None:
    said = tried(url, BASE, publication(), level="REPEATABLE READ")
    assert said[:2] == (_GOOD, "ck_overrides_read_committed")


@pytest.mark.parametrize("statement", NOT_GRANTED)
def test_what_is_never_changed_the_application_may_not_change(url: str, statement: str) -> None:
    assert tried(url, BASE + publication(), f"{statement};\n")[::2] == (_GOOD, "42501")


@pytest.mark.parametrize(
    ("statement", "constraint", "state"),
    [
        ("DELETE FROM rule_set_draft_editors", "ck_rule_set_draft_editors_stay", "23514"),
        ("UPDATE rule_set_publications SET published_by = 'ada'", None, "23001"),
        ("DELETE FROM rule_set_publications", None, "23001"),
        ("TRUNCATE rule_set_publications", None, "23001"),
    ],
)
def test_nor_does_the_owner(
    owner_url: str, statement: str, constraint: str | None, state: str
) -> None:
    said = tried(owner_url, BASE + publication(), f"{statement};\n")
    assert said == (_GOOD, constraint, state)
