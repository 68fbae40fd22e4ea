"""What a comparison rests on: every part changes the fingerprint, and a model swapped by the endpoint is a mismatch."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.comparison_notation import comparison, prompt, quality_rows

from promptci.runs.prompt_plan import Arm, Status
from promptci.scoring import comparability
from promptci.scoring.comparability import Comparability
from promptci.scoring.prompt_run import PromptRun

ROWS = quality_rows(right=6, broken=3)
BASE = prompt("old")


def assess(**facts: Any) -> Comparability:
    assessment = comparability.assess_comparability(comparison(facts.pop("rows", ROWS), **facts))
    assert assessment is not None
    return assessment


def test_where_all_matches_the_parts_are_named_and_nothing_is_wrong() -> None:
    assessment = assess(models=("m-1", "m-1"), plan={"judged_by": {"judge": "j, rubric 1"}})

    assert assessment.mismatches == ()
    assert {name: part for name, part in assessment.parts.items() if name != "goldens"} == {
        "judge": "j, rubric 1",
        "model asked": "m",
        "models returned": "m-1",
        "parameters": "none",
        "response format": "text",
    }
    assert assessment.parts["goldens"].startswith("9 compared, ")


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            ("m-1", "m-2"),
            "different models answered: before m-1, after m-2, though both ask for m",
        ),
        (
            ("m-1", "m-1,m-2"),
            "different models answered: before m-1, after m-1, m-2, though both ask for m",
        ),
        (("m-1,m-2", "m-1,m-2"), None),
        (("m-1", None), None),
        ((None, "m-1"), None),
    ],
)
def test_one_model_asked_and_different_sets_returned_is_a_mismatch(
    models: tuple[str | None, str | None], message: str | None
) -> None:
    assert assess(models=models).mismatches == ((message,) if message else ())


def test_a_model_changed_in_the_prompt_file_is_the_change_under_test_and_is_listed() -> None:
    head = replace(
        prompt("new", "n"),
        parameters={"temperature": 1, "max_tokens": 5},
        response_format="json_schema",
        json_schema={"name": "x"},
    )
    assessment = assess(models=("m-1", "n-1"), plan={"head": head})

    assert assessment.mismatches == ()
    assert assessment.parts["model asked"] == "m → n"
    assert assessment.parts["models returned"] == "m-1 → n-1"
    assert assessment.parts["parameters"] == 'none → {"max_tokens":5,"temperature":1}'
    assert assessment.parts["response format"].startswith("text → json_schema, ")


def test_models_of_answers_that_are_not_compared_do_not_count() -> None:
    rows = "a 1 1\nb - 1\nd~ 1 1\nf? 1 1\nh ! 1"
    run = comparison(rows, models=("m-1", "m-1,m-2"))

    assert comparability.returned_models(run, Arm.HEAD) == ("m-2",)  # of `a` alone, by the notation's turns
    assert comparability.returned_models(run, Arm.BASE) == ("m-1",)


def test_an_endpoint_that_names_no_model_is_said() -> None:
    assert assess().parts["models returned"] == comparability.UNNAMED


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ("a - 1", Status.ADDED),
        ("", Status.DELETED),
        ("", Status.CHANGED),
        ("a ! 1", Status.CHANGED),
        ("a~ 1 1", Status.CHANGED),
        ("a? 1 1", Status.CHANGED),
    ],
)
def test_where_nothing_is_compared_there_is_nothing_to_say(rows: str, status: Status) -> None:
    assert comparability.assess_comparability(comparison(rows, status=status, models=("m-1", "m-2"))) is None


OTHER: dict[str, Callable[[], PromptRun]] = {
    "another set of cases": lambda: comparison(quality_rows(right=6, broken=2), models=("m-1", "m-1")),
    "another assertion": lambda: comparison(ROWS, models=("m-1", "m-1"), graded=True),
    "clusters": lambda: comparison(ROWS.replace("right0", "right0@one"), models=("m-1", "m-1")),
    "another model returned": lambda: comparison(ROWS, models=("m-2", "m-2")),
    "another model asked": lambda: comparison(
        ROWS, models=("m-1", "m-1"), plan={"base": prompt("old", "n"), "head": prompt("new", "n")}
    ),
    "other parameters": lambda: comparison(
        ROWS, models=("m-1", "m-1"), plan={"base": replace(BASE, parameters={"top_p": 1})}
    ),
    "another response format": lambda: comparison(
        ROWS, models=("m-1", "m-1"), plan={"base": replace(BASE, response_format="json_object")}
    ),
    "another judge": lambda: comparison(ROWS, models=("m-1", "m-1"), plan={"judged_by": {"judge": "j"}}),
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_every_part_makes_another_fingerprint(other: Callable[[], PromptRun]) -> None:
    assessment = comparability.assess_comparability(other())
    assert assessment is not None
    assert assessment.fingerprint != assess(models=("m-1", "m-1")).fingerprint


def test_the_outcome_and_the_wording_of_the_prompt_make_no_other_fingerprint() -> None:
    worse = assess(models=("m-1", "m-1"), rows=ROWS.replace("1 1", "1 0"), plan={"head": prompt("newer still")})
    assert worse.fingerprint == assess(models=("m-1", "m-1")).fingerprint


@pytest.mark.parametrize(
    ("asked", "returned"),
    [
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
        ("openai/gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
        ("gpt-4o-mini", "openai/gpt-4o-mini"),
        ("openai/gpt-4o-mini", "azure/GPT-4o-mini"),
        ("gpt-4", "gpt-4-0613"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("claude-3-5-sonnet@20241022", "claude-3-5-sonnet"),
        ("llama3", "llama3:latest"),
        ("local/smollm2-135m-instruct", "SmolLM2-135M-Instruct-Q4_1"),
        ("smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    ],
)
def test_a_model_s_usual_other_names_are_the_same_model(asked: str, returned: str) -> None:
    assert comparability.find_unexpected_models(asked, (returned,)) == ()


@pytest.mark.parametrize(
    ("asked", "returned"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4o", "gpt-4o-mini-2024-07-18"),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-05-13"),
        ("gpt-4", "gpt-4-32k"),
        ("openai/gpt-4o", "mistral/mistral-large"),
        ("llama3:8b", "llama3:70b"),
    ],
)
def test_another_model_is_another(asked: str, returned: str) -> None:
    assert comparability.find_unexpected_models(asked, ("x", returned, asked)) == ("x", returned)


@given(st.text("abc-/.1:", max_size=9), st.sampled_from(["", "-2024-07-18", "-0613", "@20241022", "-latest"]))
def test_a_name_is_its_own_with_any_date(name: str, tail: str) -> None:
    assert comparability.find_unexpected_models(name, (name + tail,)) == ()
