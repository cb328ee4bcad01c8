"""Proofs: one says what each door asks for, as the doors once found it out for themselves."""

from random import Random

from app.domain.rules.check import Proof, check_compiled, prove
from app.domain.rules.check.safety import unsafe
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.document import parse_document
from app.domain.rules.limits import Limits
from app.domain.rules.self_test import run_tests
from tests.domain.rules.check.drawing import CATALOGUE, document
from tests.domain.rules.samples import CATALOGUE as SAMPLE_CATALOGUE
from tests.domain.rules.samples import sample

DRAWN = 300


def test_a_proof_says_what_the_checker_what_the_compiler_and_what_the_tests_say() -> None:
    safe = 0
    for seed in range(DRAWN):
        compiled = compile_unproved(document(Random(seed)), CATALOGUE)
        proof = prove(compiled)
        assert proof.findings == check_compiled(compiled)
        assert proof.unsafe == tuple(unsafe(compiled, Limits()))
        safe += not proof.unsafe
    assert 0 < safe < DRAWN


def test_tests_that_fail_are_told_apart_and_run_only_if_it_is_safe() -> None:
    raw = sample()
    raw["tests"] = [{"in": {}, "expect": {"tier": "diamond"}}]
    compiled = compile_unproved(parse_document(raw, SAMPLE_CATALOGUE), SAMPLE_CATALOGUE)
    failing = run_tests(compiled)
    assert failing
    assert prove(compiled) == Proof(check_compiled(compiled), (), failing)
    given_up = prove(compiled, Limits(proof_steps=0))
    assert {finding.code for finding in given_up.unsafe} == {"inconclusive"}
    assert given_up.failing == ()
