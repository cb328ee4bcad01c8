"""The role table says what is pinned here, and refuses to be half a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.privacy.classes import Disposition, SensitivityClass, Trait, strictest
from app.domain.privacy.matrix import MATRIX, MatrixError, load_matrix, parse_matrix
from app.domain.privacy.roles import Purpose, Relation, Role, Viewer, relation_to

# One letter per class in the order of SensitivityClass: Clear, Partial, Band, Withheld; a lower
# case letter depends on a condition that does not hold.
EXPECTED = {
    (Role.AGENT, Relation.OTHER): "CCPPWBWWWWBW",
    (Role.CUSTOMER, Relation.SELF): "CWCPPCwwWWwW",
    (Role.CUSTOMER, Relation.OTHER): "WWWWWWWWWWWW",
    (Role.ACCOUNT_MANAGER, Relation.OWN): "CCCpWCBWWBCp",
    (Role.ACCOUNT_MANAGER, Relation.OTHER): "CCPPWBWWWWBW",
    (Role.ACCOUNT_MANAGER, Relation.SELF): "WWWWWWWWWWWW",
    (Role.RISK_OFFICER, Relation.OTHER): "CCPPPBBBCCCp",
    (Role.BUSINESS_OFFICER, Relation.OTHER): "CCPPWBBWWCCp",
    (Role.COMPLIANCE, Relation.OTHER): "CCPPPBWWWWWp",
    (Role.INTEGRATION, Relation.OTHER): "CWWWWWWWWWWW",
    (Role.ANALYST, Relation.OTHER): "WWWWWWWWWWWW",
    (Role.RULE_AUTHOR, Relation.OTHER): "WWWWWWWWWWWW",
    (Role.RULE_PUBLISHER, Relation.OTHER): "WWWWWWWWWWWW",
    (Role.ADMIN, Relation.OTHER): "WWWWWWWWWWWW",
}

VIEWERS = st.builds(
    Viewer,
    role=st.sampled_from(Role),
    subject=st.just("s"),
    relation=st.sampled_from(Relation),
    purpose=st.none() | st.sampled_from(Purpose),
)


@pytest.mark.parametrize("column", EXPECTED, ids="-".join)
def test_a_role_is_shown_what_is_pinned_here(column: tuple[Role, Relation]) -> None:
    viewer = Viewer(role=column[0], subject="s", relation=column[1])
    shown = [MATRIX.disposition(viewer, name).value[0] for name in SensitivityClass]
    assert "".join(shown) == EXPECTED[column].lower()


@pytest.mark.parametrize("role", Role)
def test_every_role_is_pinned(role: Role) -> None:
    assert any(column[0] is role for column in EXPECTED)


def test_own_customers_phone_and_notes_need_a_purpose() -> None:
    viewer = Viewer(
        Role.ACCOUNT_MANAGER, "s", relation=Relation.OWN, purpose=Purpose.RENEWAL_ADVICE
    )
    assert MATRIX.disposition(viewer, SensitivityClass.C2_CONTACT) is Disposition.CLEAR
    assert MATRIX.disposition(viewer, SensitivityClass.FREE) is Disposition.CLEAR


@pytest.mark.parametrize(
    ("sensitivity", "trait"),
    [
        (SensitivityClass.S_INCOME, Trait.DECLARED),
        (SensitivityClass.S_HEALTH, Trait.DECLARED),
        (SensitivityClass.VALUE, Trait.PREMIUM),
    ],
)
def test_a_customer_sees_what_he_declared_and_his_own_premiums(
    sensitivity: SensitivityClass, trait: Trait
) -> None:
    viewer = Viewer(Role.CUSTOMER, "s", relation=Relation.SELF)
    others = frozenset(set(Trait) - {trait})
    assert MATRIX.disposition(viewer, sensitivity, frozenset({trait})) is Disposition.CLEAR
    assert MATRIX.disposition(viewer, sensitivity, others) is Disposition.WITHHELD


@given(VIEWERS, st.sampled_from(SensitivityClass))
def test_nobody_whom_the_table_lists_is_shown_less_than_an_unknown_viewer(
    viewer: Viewer, sensitivity: SensitivityClass
) -> None:
    unviewed = MATRIX.disposition(None, sensitivity)
    column = MATRIX.columns.get((viewer.role, viewer.relation), {})
    if sensitivity in column:
        assert strictest((unviewed, MATRIX.disposition(viewer, sensitivity))) is unviewed


@given(VIEWERS, st.sampled_from(SensitivityClass))
def test_a_purpose_never_takes_away(viewer: Viewer, sensitivity: SensitivityClass) -> None:
    without = Viewer(viewer.role, viewer.subject, viewer.relation)
    shown = (MATRIX.disposition(viewer, sensitivity), MATRIX.disposition(without, sensitivity))
    assert strictest(shown) is shown[1]


@given(VIEWERS, st.sets(st.sampled_from(SensitivityClass), min_size=1))
def test_what_is_derived_is_shown_as_its_most_protected_input(
    viewer: Viewer, inputs: set[SensitivityClass]
) -> None:
    joint = MATRIX.joint_disposition(viewer, inputs)
    assert all(
        strictest((joint, MATRIX.disposition(viewer, sensitivity))) is joint
        for sensitivity in inputs
    )


def test_what_is_derived_from_nothing_known_is_withheld() -> None:
    assert MATRIX.joint_disposition(None, []) is Disposition.WITHHELD


def test_roles_without_a_column_see_no_customer_data() -> None:
    blind = {role for role in Role if not MATRIX.sees_customer_data(Viewer(role, "s"))}
    assert blind == {
        Role.CUSTOMER,  # of other customers
        Role.ANALYST,
        Role.RULE_AUTHOR,
        Role.RULE_PUBLISHER,
        Role.ADMIN,
    }


@pytest.mark.parametrize(
    ("role", "own", "manager", "expected"),
    [
        (Role.CUSTOMER, "C1", None, Relation.SELF),
        (Role.CUSTOMER, "c1", None, Relation.OTHER),
        (Role.CUSTOMER, None, "s", Relation.OTHER),
        (Role.ACCOUNT_MANAGER, None, "s", Relation.OWN),
        (Role.ACCOUNT_MANAGER, "C1", "t", Relation.OTHER),
        (Role.ACCOUNT_MANAGER, None, None, Relation.OTHER),
        (Role.AGENT, "C1", "s", Relation.OTHER),
    ],
)
def test_a_relation_is_to_the_actors_own_customer_only(
    role: Role, own: str | None, manager: str | None, expected: Relation
) -> None:
    found = relation_to(
        role=role, subject="s", own_customer_id=own, customer_id="C1", account_manager=manager
    )
    assert found is expected


def test_the_version_changes_with_the_data() -> None:
    assert load_matrix().version == MATRIX.version
    assert MATRIX.version.startswith("1+")


UNVIEWED = "[unviewed]\n" + "\n".join(f'"{name}" = "withheld"' for name in SensitivityClass)
AGENT = '[[columns]]\nrole = "agent"\n[columns.cells]\nopen = "clear"\n'


def _table(columns: str, unviewed: str = UNVIEWED) -> str:
    return f'version = "t"\n{unviewed}\n{columns}'


def test_a_small_table_withholds_what_it_does_not_list() -> None:
    matrix = parse_matrix(_table(AGENT))
    viewer = Viewer(Role.AGENT, "s")
    assert matrix.disposition(viewer, SensitivityClass.OPEN) is Disposition.CLEAR
    assert matrix.disposition(viewer, SensitivityClass.INTERNAL) is Disposition.WITHHELD


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version", "not TOML"),
        ("version = 't'", "version, unviewed and columns"),
        (f"version = 't'\ncolumns = []\n{UNVIEWED}", "columns"),
        (f"version = 't'\ncolumns = 1\n{UNVIEWED}", "columns"),
        (f"version = 't'\ncolumns = [1]\n{UNVIEWED}", r"columns\[0\]: a table"),
        (_table(AGENT.replace("agent", "clerk")), "clerk"),
        (_table(AGENT.replace("open", "opened")), "opened"),
        (_table(AGENT.replace('"clear"', '"plain"')), "plain"),
        (_table(AGENT.replace('"clear"', "1")), "a table is needed"),
        (_table(AGENT.replace('"clear"', '{ when = "purpose" }')), "when, then and otherwise"),
        (
            _table(
                AGENT.replace('"clear"', '{ when = "rain", then = "clear", otherwise = "band" }')
            ),
            "rain",
        ),
        (
            _table(
                AGENT.replace('"clear"', '{ when = "purpose", then = "band", otherwise = "clear" }')
            ),
            "less than its absence",
        ),
        (_table(AGENT + AGENT), "already"),
        (_table('[[columns]]\nrole = "agent"\n'), "a table is needed"),
        (_table('[[columns]]\nrole = "agent"\nrelation = "kin"\ncells = {}\n'), "kin"),
        (_table('[[columns]]\nrole = "agent"\nas = "compliance"\n'), "listed before"),
        (_table(AGENT + '[[columns]]\nrole = "admin"\nas = "agent"\ncells = {}\n'), "adds no"),
        (_table('[[columns]]\nrole = "agent"\ncell = 1\n'), "unknown key cell"),
        (_table(AGENT, "[unviewed]\nopen = 'clear'"), "internal is missing"),
        (
            _table(AGENT.replace("clear", "withheld"), UNVIEWED.replace("withheld", "clear", 1)),
            "unviewed.open",
        ),
    ],
)
def test_a_wrong_table_is_refused_by_name(text: str, place: str) -> None:
    with pytest.raises(MatrixError, match=place):
        parse_matrix(text)
