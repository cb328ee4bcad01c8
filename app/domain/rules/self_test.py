"""Running the tests that a document carries."""

from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.evaluation import Answer, Evaluation, InputError
from app.domain.rules.findings import Finding
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, Example
from app.domain.rules.scalar import evaluate


def run_tests(compiled: CompiledRuleSet) -> tuple[Finding, ...]:
    """Run the document's own tests and return what fails, as ``test-failed`` findings.

    A fact that a test leaves out is null. Where it can never be null it is 0 or false, "loaded,
    none", so that a test names only what it is about. An enum, a date or a text has no such value:
    a test must name it if the rule set reads it.
    """
    findings: list[Finding] = []
    for at, example in enumerate(compiled.document.tests):
        facts: dict[str, FactValue] = {fact.name: neutral(fact) for fact in compiled.facts}
        facts.update(example.facts)
        try:
            evaluation = evaluate(compiled, facts)
        except InputError as error:
            findings.append(
                Finding(f"tests[{at}].in", "test-failed", f"{error}.", "Name it in the test.")
            )
        else:
            findings += _differences(example, evaluation, f"tests[{at}].expect")
    return tuple(findings)


def neutral(fact: Fact) -> int | None:
    """Return what a fact is where a test leaves it out; None also where it must be named."""
    if fact.nullable:
        return None
    if fact.type is FactType.BOOL:
        return False
    if fact.type in (FactType.INT, FactType.DECIMAL):
        return max(0, fact.minimum or 0)
    return None


def _differences(example: Example, evaluation: Evaluation, path: str) -> list[Finding]:
    return [
        Finding(
            f"{path}.{name}",
            "test-failed",
            f"It is {_words(given)}, expected was {_words(wanted)}.",
            "Correct the rules or the test.",
        )
        for name, wanted in example.expect.items()
        if (given := _given(evaluation, name)) != wanted
    ]


def _given(evaluation: Evaluation, name: str) -> int | Answer:
    if name == SCORE:
        return evaluation.score
    if name.startswith(DIMENSION_PREFIX):
        return evaluation.dimensions[name.removeprefix(DIMENSION_PREFIX)]
    return evaluation.outcomes[name]


def _words(answer: int | Answer) -> str:
    if isinstance(answer, tuple):
        return ", ".join(answer) or "nothing"
    return "unmatched" if answer is None else str(answer)
