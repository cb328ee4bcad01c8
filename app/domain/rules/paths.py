"""Which facts reach which outcome, and the paths that are forbidden.

Health, lifestyle and fraud feed the risk grade and the extra risk module only. The underwriting
and reinsurance advice may read those two outcomes, which is what they are for, but no barred fact
itself. Complaints feed nothing. The score is shown to everyone who sees the tier, so a barred
fact may not move it: its characteristic belongs in a dimension of weight 0, read by those tables
alone.
"""

from collections.abc import Mapping

from app.domain.facts.model import Fact
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, RuleSetDocument, Table
from app.domain.rules.reading import Reader

BARRED_CLASSES = frozenset({"s.health", "s.fraud"})
LIFESTYLE_FACTS = frozenset({"smoker", "heavy_drinker"})
RISK_OUTCOMES = frozenset({"risk_grade", "extra_risk_module"})
ADVICE_OUTCOMES = frozenset({"underwriting_advice", "reinsurance_advice"})


def is_complaint(fact: Fact) -> bool:
    """Say whether the fact tells of complaints, which feed no outcome at all."""
    return fact.name.startswith("complaint")


def is_barred(fact: Fact) -> bool:
    """Say whether the fact may reach the risk outcomes only, or nothing."""
    return fact.sensitivity in BARRED_CLASSES or fact.name in LIFESTYLE_FACTS or is_complaint(fact)


def facts_reaching(document: RuleSetDocument) -> dict[str, frozenset[str]]:
    """Return the facts on the paths to each dimension, the score and each output.

    A dimension whose weight is 0 under every objective does not reach the score.
    """
    reach: dict[str, frozenset[str]] = {}
    scored: frozenset[str] = frozenset()
    for name in document.dimensions:
        facts = frozenset(c.input for c in document.characteristics if c.dimension == name)
        reach[DIMENSION_PREFIX + name] = facts
        if _is_weighted(document, name):
            scored |= facts
    reach[SCORE] = scored
    for table in document.tables:
        sources = (reach.get(name, frozenset({name})) for name in table.inputs)
        reach[table.output.name] = frozenset().union(*sources)
    return reach


def reason_classes(document: RuleSetDocument, catalogue: Mapping[str, Fact]) -> dict[str, str]:
    """Return the sensitivity class of each reason code.

    One fact is on a reason's path, the one its characteristic reads, so its class is the highest.
    """
    classes: dict[str, str] = {}
    for item in document.characteristics:
        sensitivity = catalogue[item.input].sensitivity
        classes[item.reason.code] = sensitivity
        classes.update((b.reason.code, sensitivity) for b in item.bins if b.reason is not None)
    return classes


def check_paths(reader: Reader, document: RuleSetDocument, catalogue: Mapping[str, Fact]) -> None:
    """Report every forbidden path of a document as ``forbidden-path``.

    Scores and answers that a part of a document is given like facts come from where nobody knows.
    """
    for item in document.characteristics:
        if is_barred(catalogue[item.input]) and _is_weighted(document, item.dimension):
            reader.report(
                f"scorecard.characteristics[{item.id}].input",
                "forbidden-path",
                f"{item.input} moves the score through the dimension {item.dimension}.",
                "Put it in a dimension of weight 0 that only the risk grade or module reads.",
            )
    reach = facts_reaching(document)
    for at, table in enumerate(document.tables):
        for name in table.inputs:
            # What is wrong with the score itself has been said at its characteristics.
            facts = frozenset() if name == SCORE else reach.get(name, frozenset({name}))
            known = sorted(facts & catalogue.keys())
            barred = [fact for fact in known if _may_not_reach(catalogue[fact], table, name)]
            if barred:
                reader.report(
                    f"tables[{at}].inputs.{name}",
                    "forbidden-path",
                    f"{', '.join(barred)} reaches {table.output.name}.",
                    "Health, lifestyle and fraud may reach the risk grade and the extra risk"
                    " module only; complaints feed nothing.",
                )


def _is_weighted(document: RuleSetDocument, dimension: str) -> bool:
    return any(profile.get(dimension, 0) > 0 for profile in document.objectives.values())


def _may_not_reach(fact: Fact, table: Table, through: str) -> bool:
    if is_complaint(fact):
        return True
    if table.output.name in ADVICE_OUTCOMES and through in RISK_OUTCOMES:
        return False
    return is_barred(fact) and table.output.name not in RISK_OUTCOMES
