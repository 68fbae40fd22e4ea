"""`promptci goldens lint` finds what makes a golden set say less than it seems to."""

from typing import Any

import pytest

from promptci.goldens.checks.lint import LintFinding, lint_cases
from promptci.goldens.model import Assertion, Case

CHECK = (Assertion(type="equals"),)


def case(number: int, text: str = "", **fields: Any) -> Case:
    values = {"expected": f"answer {number}", "assertions": CHECK, "vars": {"input": text or f"question {number}" * 3}}
    return Case(id=f"c{number}", path="g.jsonl", line=number, **{**values, **fields})


def rules(*cases: Case, prompt: str = "Be kind.") -> list[str]:
    return [f"{lint_finding.rule}:{lint_finding.problem.line}" for lint_finding in lint_cases(cases, [prompt])]


def only(*cases: Case, prompt: str = "Be kind.") -> LintFinding:
    (finding,) = lint_cases(cases, [prompt])
    return finding


def test_a_good_set_has_no_finding() -> None:
    texts = ["Where is my parcel?", "I want my money back.", "Mail ann@example.com or bob@shop.test, tel. 555-0100"]
    assert rules(*(case(number, text) for number, text in enumerate(texts))) == []


def test_equal_and_nearly_equal_cases_are_found() -> None:
    assert rules(case(1, "Where is it?"), case(2, "Where is it?", expected="answer 1")) == ["duplicate:None"]
    near = only(case(1, "Where is my parcel GH-1234, please?"), case(2, "where is my parcel GH 1235 please"))
    assert (near.rule, near.problem.line) == ("near-duplicate", 2)
    assert near.problem.message == "`c2` asks nearly the same as `c1` (g.jsonl:1)"


def test_a_case_that_stands_in_the_prompt_is_found() -> None:
    example = "Example: where is my parcel GH-1234? Answer: it is at the depot."
    assert rules(case(1, "Where is my parcel GH-1234?"), prompt=example) == ["leak:1"]
    assert rules(case(1, "x", expected="It is at the depot."), prompt=example) == ["leak:1"]
    label = {"expected": "it is at the depot"}
    assert rules(case(1, "first thing", **label), case(2, "another", **label), prompt=example) == []


def test_unbalanced_labels_are_found() -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"]
    cases = [case(n, f"{word} {word} {word}", expected="yes" if n else "no") for n, word in enumerate(words)]
    messages = [lint_finding.problem.message for lint_finding in lint_cases(cases, [])]
    assert messages == [
        "11 of 12 cases expect `yes`: an answer that is always this passes 92%",
        "only one of 12 cases expects `no`",
    ]
    even = [case(n, f"{word} {word} {word}", expected="ab"[n % 2]) for n, word in enumerate(words)]
    assert lint_cases(even, []) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("write to ann.miller@gmail.com", "an e-mail address"),
        ("card 4111 1111 1111 1111", "a payment card"),
        ("IBAN DE89 3704 0044 0532 0130 00", "an IBAN"),
        ("SSN 078-05-1120", "a social security number"),
    ],
)
def test_personal_data_is_found(text: str, name: str) -> None:
    lint_finding = only(case(1, text))
    assert (lint_finding.rule, lint_finding.problem.message) == ("personal-data", f"`c1` has what looks like {name}")


@pytest.mark.parametrize(
    "text", ["order 4111 1111 1111 1112", "0000 0000 0000 0000", "a@b.example", "x@y.test", "123-45"]
)
def test_other_numbers_and_examples_are_no_personal_data(text: str) -> None:
    assert rules(case(1, text)) == []


def test_keys_and_cases_that_nothing_checks_are_found() -> None:
    assert rules(case(1, "sk-proj-" + "Ab1" * 16)) == ["key:1"]
    assert rules(case(1, assertions=(), expected=None)) == ["unchecked:1"]


def test_many_findings_of_a_kind_are_counted() -> None:
    cases = [case(n, f"{n}{n} {'abcdefghij'[n] * 9}", assertions=()) for n in range(8)]
    assert [lint_finding.problem.message for lint_finding in lint_cases(cases, [])][-1] == "3 more of this kind"


def test_hostile_texts_take_no_time() -> None:
    texts = ["a@" + "a." * 50_000, "1 " * 50_000, "DE00" + " AAAA" * 20_000, "a" * 200_000 + "@"]
    lint_cases([case(number, text) for number, text in enumerate(texts)], ["x" * 100_000])


def test_one_label_for_all_cases_is_found() -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    cases = [case(n, f"{word} {word} {word}", expected="yes") for n, word in enumerate(words)]
    assert only(*cases).problem.message.startswith("all 10 cases expect `yes`")
    assert rules(*cases[:9]) == []


@pytest.mark.parametrize(
    ("value", "prompt", "is_found"),
    [
        ("no", "{% if vip %}Dear{% endif %}", True),
        ("Off", "{%- if polite and vip -%}Dear{% endif %}", True),
        ("no", "{{#if vip}}Dear{{/if}}", True),
        ("no", "{{ 'Dear' if vip else '' }}", True),
        ("no", "{% if vip == 'no' %}Dear{% endif %}", False),
        ("no", "Is it a vip? {{vip}}", False),
        ("yes", "{% if vip %}Dear{% endif %}", False),
        (False, "{% if vip %}Dear{% endif %}", False),
    ],
)
def test_a_no_that_counts_as_yes_in_a_condition_is_found(value: object, prompt: str, is_found: bool) -> None:
    assert rules(case(1, vars={"vip": value}), prompt=prompt) == ["truthy:1"] * is_found
