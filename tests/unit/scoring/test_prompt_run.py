"""PromptRun: what a prompt's run holds before, and after, the gate has decided."""

from dataclasses import replace

from support.comparison_notation import comparison

from promptci.scoring.judges.trust import assess_trust
from promptci.scoring.prompt_run import PromptRun, release_questions
from promptci.verdict import Verdict

DOUBTED = assess_trust(None, 0.6, ("it passed useless answers",))


def test_a_run_that_no_gate_has_decided_is_not_green() -> None:
    assert PromptRun(plan=comparison("").plan).verdict is Verdict.ERROR


def test_a_decision_leaves_the_undecided_run_alone_and_measures_nothing_again() -> None:
    run = comparison("a 1 0\nb 1 1")
    pairs = run.pairs
    decided = run.with_decision(Verdict.FAIL, (), 0.01)
    assert (run.verdict, run.adjusted_p) == (Verdict.ERROR, None)
    assert (decided.verdict, decided.adjusted_p) == (Verdict.FAIL, 0.01)
    assert decided.pairs is pairs


def test_counting_twice_changes_nothing() -> None:
    run = replace(comparison("a 0.4 0.5\nb 0.1 0.2", graded=True), trust=DOUBTED, answers_per_case=2)
    once = run.counted()
    twice = once.counted()
    assert once.plan.task.first_repeats == 2
    assert [planned.excluded_reason for planned in once.plan.task.cases] == [
        "the judge is not trusted: it passed useless answers"
    ] * 2
    assert (twice.plan, twice.scored) == (once.plan, once.scored)
    assert all(scored.results[0].weight == 1 for scored in run.scored)


def test_a_run_forgets_its_questions_and_not_its_answers() -> None:
    run = comparison("a 1 0\nb 1 1")
    answered = list(run.scored)
    release_questions([run])
    assert (run.questions, run.follow_ups) == ((), ())
    assert run.scored == answered


def test_a_paired_case_has_no_dictionary_of_its_own() -> None:
    """A run of 100,000 cases holds as many: each would take 300 bytes beside a report."""
    (case,) = comparison("a 1 0").cases
    assert not hasattr(case, "__dict__")
