"""Words about earlier runs: what flips, how much is chance, and how often the gate was right."""

import pytest
from support.report_situations import SITUATIONS
from support.run_notation import comparison, many, report

from promptci.config.policy import GateMode, GatePolicy
from promptci.report.model.report import FlakyCaseView, FlakyView, PrecisionView, PromptView
from promptci.report.text import memory_text, next_steps, provenance


def prompt(**flaky: object) -> PromptView:
    (result,) = report(comparison(many(right=60))).prompts
    return result.model_copy(update={"flaky": FlakyView.model_validate(flaky)})


def flips(count: int) -> list[FlakyCaseView]:
    return [FlakyCaseView(id=f"c{i}", passes=5, fails=3) for i in range(count)]


def test_flaky_cases_are_named_with_how_they_fared() -> None:
    assert memory_text.describe_flaky(prompt(cases=flips(3))) == (
        "Flaky: 3 of 60 cases have flipped by themselves in this run or earlier ones, with the same prompt, question"
        " and model: c0 (right 5 of 8 times), c1 (right 5 of 8 times) and c2 (right 5 of 8 times)."
    )


def test_one_flaky_case_is_spoken_of_as_one() -> None:
    assert "1 of 60 cases has flipped by itself" in memory_text.describe_flaky(prompt(cases=flips(1)))


def test_many_flaky_cases_are_counted() -> None:
    flaky = memory_text.describe_flaky(prompt(cases=flips(memory_text.MAX_FLAKY_NAMED + 2)))
    assert flaky.count("(right") == memory_text.MAX_FLAKY_NAMED
    assert flaky.endswith(" and 2 more.")


def test_chance_says_what_it_was_measured_on_and_what_it_asks_for() -> None:
    prompt_view = prompt(discordance=0.1, measured=48, cases_needed=248)
    message = (
        "two runs of one version disagree on 10% of the cases (measured on 48 cases); about 248 pairs would settle"
        " a margin of 5 points"
    )
    assert memory_text.noise_row(prompt_view, 0.05) == [("Chance alone", message)]
    assert ("Chance alone", message) in provenance.decided(prompt_view, SITUATIONS["all_same"]())


def test_where_nothing_is_known_of_chance_nothing_is_said() -> None:
    assert memory_text.noise_row(prompt(), 0.05) == []


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((0, 0, 0, None), "No earlier verdict would have blocked."),
        ((12, 0, 0, None), "Of 12 verdicts that would have blocked, none is labelled yet: `promptci memory label"),
        (
            (12, 10, 9, (0.5958, 0.9821)),
            "Of 12 verdicts that would have blocked, 10 labelled by people: 9 correct (90%, 95% interval 59.6% to",
        ),
    ],
)
def test_precision_is_said_with_its_interval(
    counts: tuple[int, int, int, tuple[float, float] | None], message: str
) -> None:
    verdicts, judged, right, interval = counts
    precision = PrecisionView(verdicts=verdicts, labelled=judged, correct=right, interval=interval)
    assert memory_text.describe_precision(precision).startswith(message)


def test_precision_is_told_in_advise_mode_only() -> None:
    advised = SITUATIONS["advised_with_a_memory"]()
    blocking = advised.model_copy(update={"gate": advised.gate.model_copy(update={"mode": "block"})})
    assert memory_text.label_requests(blocking) == []
    (step,) = memory_text.label_requests(advised)
    assert f"promptci memory label {advised.prompts[0].verdict_id} correct" in step
    assert step in next_steps.next_steps(advised)


def test_backticks_in_names_make_no_code() -> None:
    assert "c`" not in memory_text.describe_flaky(prompt(cases=[FlakyCaseView(id="c`", passes=1, fails=1)]))
    advised = SITUATIONS["advised_with_a_memory"]()
    odd = advised.model_copy(update={"prompts": [advised.prompts[0].model_copy(update={"name": "a`b"})]})
    assert memory_text.label_requests(odd)[0].count("`") == 4


def test_only_what_would_have_blocked_is_to_be_judged() -> None:
    passing = report(comparison(many(right=60)), policy=GatePolicy(mode=GateMode.ADVISE))
    named = passing.model_copy(update={"prompts": [passing.prompts[0].model_copy(update={"verdict_id": "abc"})]})
    assert memory_text.label_requests(named) == []


def test_what_is_known_of_the_cases_stands_in_the_view() -> None:
    result = SITUATIONS["advised_with_a_memory"]().prompts[0]
    assert len(result.flaky.cases) == 12
    assert result.flaky.discordance == pytest.approx(12 / 60 * (7 / 28))
    assert result.flaky.cases_needed is not None
    assert [case.flaky for case in result.case_details] == [i < 12 for i in range(60)]


def test_a_command_that_labels_a_verdict_has_all_that_it_requires() -> None:
    asked = memory_text.label_requests(SITUATIONS["advised_with_a_memory"]())
    unlabelled = memory_text.describe_precision(PrecisionView(verdicts=3, labelled=0, correct=0, interval=None))
    for text in (*asked, unlabelled):
        assert " correct --why 'how you know'` (or `incorrect`)" in text
