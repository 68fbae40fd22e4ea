"""A judge blocks only where people's labels show that it may; what it says else is shown and has no weight."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_judges import EVALUATOR, JUDGE, LLM, FakeJudge
from support.plans import prompt_plan

from promptci import wording
from promptci.goldens.labels import LabelledAnswer
from promptci.goldens.model import Assertion, Case
from promptci.prompts.model import Message, Prompt
from promptci.providers.base import Completion
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan, Status
from promptci.scoring.comparison import compare_versions
from promptci.scoring.judges import calibrate, judge, trust
from promptci.scoring.judges.discount_untrusted import discount_plan, discount_scores
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.trust import Calibration, JudgeTrust
from promptci.scoring.model import AssertionResult, PositionConsistency, ScoredCase
from promptci.scoring.prompt_run import PromptRun

EQUALS = Assertion(type="equals", value="x")
YES, NO = (True, True), (False, False)
GOOD = Calibration(pairs=(YES, NO) * 30)
POOR = Calibration(pairs=((True, False), (False, True), YES, NO) * 15)


def case(*assertions: Assertion, name: str = "c", **fields: Any) -> Case:
    return Case(id=name, vars={"input": "hi"}, assertions=assertions, path="g", **fields)


def labelled(text: str = "Hello", *, passed: bool = True, **fields: Any) -> LabelledAnswer:
    return LabelledAnswer(case=fields.pop("case", case(LLM)), text=text, acceptable=passed)


def make_judge_config(judge_: FakeJudge, **fields: Any) -> JudgeConfig:
    return JudgeConfig(ask=judge_.ask, **{"model": "m", "rubric": "Be kind.", **fields})


async def test_the_judge_marks_labelled_answers_as_it_marks_any_other() -> None:
    fake = FakeJudge(["yes", "no", "yes"])
    calibration = await calibrate.calibrate(
        [labelled("a"), labelled("b", passed=False), labelled("c", passed=False)], make_judge_config(fake)
    )
    assert sorted(calibration.pairs) == [(False, False), (False, True), (True, True)]
    assert (calibration.scored, calibration.labels, calibration.unscored, calibration.first_failure) == (3, 3, 0, None)
    assert "Given: a" in fake.asked[0].messages[-1]["content"]


async def test_an_answer_passes_where_every_judged_assertion_holds() -> None:
    both = case(LLM, JUDGE)
    fake = FakeJudge(["yes", '{"reason": "curt", "score": 2}'])
    calibration = await calibrate.calibrate([labelled(case=both)], make_judge_config(fake))
    assert calibration.pairs == ((True, False),)


async def test_a_label_that_the_judge_cannot_mark_is_missing_data_and_said() -> None:
    calibration = await calibrate.calibrate([labelled("a"), labelled("b")], make_judge_config(FakeJudge([None])))
    assert (calibration.pairs, calibration.unscored) == ((), 2)
    assert "HTTP 500" in (calibration.first_failure or "")


async def test_the_price_of_labels_is_that_of_what_will_be_asked() -> None:
    fake = FakeJudge(["yes"])
    answers = [labelled("a"), labelled("b", case=case(LLM, JUDGE))]
    await calibrate.calibrate(answers, make_judge_config(fake, model=None))
    assert [r.key for r in calibrate.calibration_requests(answers, model=None, rubric=None)] == [
        r.key for r in fake.asked
    ]


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (Calibration(), "its agreement with people is not known: there are 0 labels, and 50 are needed"),
        (
            Calibration(pairs=(YES, NO) * 9),
            "its agreement with people is not known: there are 18 labels, and 50 are needed",
        ),
        (
            Calibration(pairs=(YES, NO) * 9, unscored=7),
            "its agreement with people is not known: 18 of 25 labels were scored, and 50 are needed",
        ),
        (
            Calibration(pairs=(YES,) * 60),
            "kappa cannot be computed: people and the judge give all 60 labels the same verdict",
        ),
        (POOR, "it agrees with people no more than chance (kappa 0.00 with 60 labels, 0.6 is needed)"),
        (
            Calibration(pairs=((True, False), (False, True)) * 30),
            "it agrees with people no more than chance (kappa −1.00 ",
        ),
    ],
)
def test_a_judge_is_doubted_for_a_reason_in_words(calibration: Calibration, message: str) -> None:
    judge_trust = trust.assess_trust(calibration, 0.6)
    assert not judge_trust.trusted
    assert judge_trust.distrust_reasons[0].startswith(message)


def test_a_judge_that_agrees_with_people_is_trusted_from_the_kappa_asked_for() -> None:
    assert trust.assess_trust(GOOD, 0.6).trusted
    assert (GOOD.kappa, GOOD.kappa_interval) == (1.0, GOOD.confusion.kappa_interval())
    kappa = POOR.kappa
    assert kappa is not None
    assert trust.assess_trust(POOR, kappa).trusted
    assert not trust.assess_trust(POOR, kappa + 0.01).trusted


def test_without_labels_a_judge_is_trusted_and_without_calibration() -> None:
    judge_trust = trust.assess_trust(None, 0.6)
    assert (judge_trust.trusted, judge_trust.calibration) == (True, None)


@pytest.mark.parametrize("calibration", [None, GOOD, POOR])
def test_reasons_from_elsewhere_count_as_well(calibration: Calibration | None) -> None:
    judge_trust = trust.assess_trust(calibration, 0.6, ["it passed an empty answer"])
    assert not judge_trust.trusted
    assert judge_trust.distrust_reasons[-1] == "it passed an empty answer"


def test_a_kappa_just_below_is_written_so_that_it_can_be_seen() -> None:
    assert wording.format_kappa(0.5961, 0.6) == "0.5961"
    assert wording.format_kappa(0.42, 0.6) == "0.42"
    assert wording.format_kappa(-0.1) == "−0.10"


def test_each_judge_is_named_once() -> None:
    judge_identity = judge.identify_judge(LLM, model=None, rubric=None)
    assert judge_identity is not None
    assert trust.assess_trust(GOOD, 0.6, (), [judge_identity, judge_identity]).identities == (judge_identity,)


def test_a_judge_is_known_by_model_and_text() -> None:
    def known(assertion: Assertion, **by: Any) -> str | None:
        judge_identity = judge.identify_judge(assertion, **{"model": "m", "rubric": "Be kind.", **by})
        return None if judge_identity is None else str(judge_identity)

    assert (known(LLM) or "").startswith("m sha256:")
    assert (known(JUDGE) or "").startswith("m sha256:")
    different = [
        known(LLM),
        known(Assertion(type="llm", value={**EVALUATOR, "prompt": "{{completion}}?"})),
        known(Assertion(type="llm", value={**EVALUATOR, "model": "other"}), model=None),
        known(JUDGE),
        known(JUDGE, rubric="Be curt."),
        known(Assertion(type="judge", options={"at_least": 3})),
    ]
    assert len(set(different)) == len(different)
    assert known(replace(LLM, name="renamed", weight=3.0)) == known(LLM)
    assert known(JUDGE, model=None) is known(JUDGE, rubric=None) is None


# What a doubted judge says has no weight.

TEXTS = {"equals": EQUALS, "llm": LLM, "judge": JUDGE}
kinds = st.lists(st.sampled_from(list(TEXTS)), min_size=1, max_size=3)


def plan(*cases: Case, aside: str | None = None) -> PromptPlan:
    prompt = Prompt(name="p", path="p", model="m", messages=(Message(role="user", content="hi"),))
    return prompt_plan(
        name="p",
        path="p",
        status=Status.CHANGED,
        base=prompt,
        head=replace(prompt, model="n"),
        cases=tuple(PlannedCase(case=case_, excluded_reason=aside) for case_ in cases),
    )


def scored(golden_case: Case, arm: Arm, *passes: bool | None, error: AnswerError | None = None) -> ScoredCase:
    marks = tuple(
        AssertionResult(
            type=a.type,
            name=a.type,
            passed=passed,
            score=None if passed is None else float(passed),
            reason="",
            weight=a.weight,
        )
        for a, passed in zip(golden_case.assertions, passes, strict=error is None)
    )
    completion = None if error else Completion(text="x")
    answer = Answer(
        prompt="p", arm=arm, case_id=golden_case.id, replicate=0, request_key="k", completion=completion, error=error
    )
    return ScoredCase(case=golden_case, arm=arm, replicate=0, answer=answer, results=marks)


DOUBTED = JudgeTrust(min_kappa=0.6, distrust_reasons=("kappa 0.10 with 40 labels is below 0.6",))


@given(st.lists(kinds, min_size=1, max_size=6))
def test_a_doubted_judge_decides_nothing_and_code_decides_as_before(lists: list[list[str]]) -> None:
    cases = [case(*(TEXTS[kind] for kind in kinds_), name=f"c{i}") for i, kinds_ in enumerate(lists)]
    answers = [
        scored(golden_case, arm, *(True for _ in golden_case.assertions)) for golden_case in cases for arm in Arm
    ]
    weighed, result = discount_scores(answers, DOUBTED), discount_plan(plan(*cases), DOUBTED)
    for planned, kinds_ in zip(result.task.cases, lists, strict=True):
        assert [a.weight for a in planned.case.assertions] == [float(kind == "equals") for kind in kinds_]
        assert (planned.excluded_reason is None) == ("equals" in kinds_)
    assert all(mark.weight == float(mark.type == "equals") for golden_case in weighed for mark in golden_case.results)
    assert not any(planned.case.is_graded for planned in result.task.cases)
    comparison = compare_versions(PromptRun(plan=result, scored=list(weighed)), alpha=0.05)
    assert len(comparison.pairs) == sum("equals" in kinds_ for kinds_ in lists)
    assert comparison.errors == 0


def test_doing_it_twice_changes_nothing() -> None:
    golden_case = case(LLM, EQUALS)
    scores = discount_scores([scored(golden_case, Arm.HEAD, True, True)], DOUBTED)
    discounted = discount_plan(plan(golden_case, case(JUDGE, name="d")), DOUBTED)
    assert (discount_scores(scores, DOUBTED), discount_plan(discounted, DOUBTED)) == (scores, discounted)


@pytest.mark.parametrize("trusted", [trust.assess_trust(GOOD, 0.6), None])
def test_a_trusted_judge_keeps_its_weight(trusted: JudgeTrust | None) -> None:
    golden_case = case(LLM)
    scores, whole_plan = (scored(golden_case, Arm.HEAD, True),), plan(golden_case)
    assert discount_scores(scores, trusted) == scores
    assert discount_plan(whole_plan, trusted) == whole_plan


def test_a_case_that_stood_aside_keeps_its_reason() -> None:
    result = discount_plan(plan(case(LLM), aside="flaky"), DOUBTED)
    assert result.task.cases[0].excluded_reason == "flaky"


def test_the_reason_names_the_kappa() -> None:
    result = discount_plan(plan(case(LLM)), DOUBTED)
    assert result.task.cases[0].excluded_reason == "the judge is not trusted: kappa 0.10 with 40 labels is below 0.6"


def test_a_doubted_judge_that_says_nothing_is_no_missing_data() -> None:
    golden_case = case(LLM, EQUALS)
    (weighed,) = discount_scores([scored(golden_case, Arm.HEAD, None, True)], DOUBTED)
    assert (weighed.error, weighed.passed) == (None, True)


# What its pass rates are worth.


def rate(
    passes: Sequence[bool | None], calibration: Calibration | None, arm: Arm = Arm.HEAD
) -> trust.JudgedRate | None:
    cases = {f"c{i}": case(LLM, EQUALS, name=f"c{i}") for i in range(len(passes))}
    answers = [
        scored(golden_case, Arm.HEAD, passed, False) for golden_case, passed in zip(cases.values(), passes, strict=True)
    ]
    return trust.measure_judged_rate(cases, answers, arm, calibration)


def test_the_judge_s_rate_is_over_its_own_assertions() -> None:
    judged_rate = rate([True, True, True, False, None], None)
    assert judged_rate is not None
    assert (judged_rate.cases, judged_rate.passed, judged_rate.corrected, judged_rate.why_not) == (4, 0.75, None, None)


def test_repeated_answers_of_a_case_are_one_rate() -> None:
    golden_case = case(LLM)
    twice = [scored(golden_case, Arm.HEAD, True), scored(golden_case, Arm.HEAD, False)]
    judged_rate = trust.measure_judged_rate({"c": golden_case}, twice, Arm.HEAD, None)
    assert judged_rate is not None
    assert (judged_rate.cases, judged_rate.passed) == (1, 0.5)


def test_a_version_without_judged_answers_has_no_rate() -> None:
    lost = scored(case(LLM), Arm.HEAD, error=AnswerError(kind="server", message="HTTP 500"))
    assert trust.measure_judged_rate({"c": case(LLM)}, [lost], Arm.HEAD, GOOD) is None
    assert rate([True], GOOD, Arm.BASE) is None
    informing = case(replace(LLM, weight=0.0), EQUALS)
    assert (
        trust.measure_judged_rate({"c": informing}, [scored(informing, Arm.HEAD, True, True)], Arm.HEAD, GOOD) is None
    )


def test_answers_that_are_compared_in_pairs_have_no_rate() -> None:
    scored_case = scored(case(JUDGE), Arm.HEAD, True)
    won = replace(
        scored_case, results=(replace(scored_case.results[0], position_consistency=PositionConsistency.CONSISTENT),)
    )
    assert trust.measure_judged_rate({"c": scored_case.case}, [won], Arm.HEAD, GOOD) is None


def test_labels_correct_the_rate() -> None:
    lenient = Calibration(pairs=(YES,) * 25 + (NO,) * 15 + ((False, True),) * 10)
    judged_rate = rate([True] * 42 + [False] * 18, lenient)
    assert judged_rate is not None
    assert judged_rate.corrected is not None
    assert judged_rate.passed == 0.7
    assert judged_rate.corrected.estimate == pytest.approx(0.5, abs=0.02)
    assert judged_rate.corrected.interval.lo < 0.5 < judged_rate.corrected.interval.hi


@pytest.mark.parametrize(
    ("calibration", "passes", "message"),
    [
        (Calibration(pairs=(YES, NO) * 5), [True, False], "fewer than 20 labels were scored"),
        (Calibration(pairs=(YES,) * 60), [False] * 10, "of another kind: the judge passes 100% of the labelled"),
        (POOR, [True, False] * 10, "unrelated to people's"),
    ],
)
def test_where_labels_cannot_speak_for_the_answers_nothing_is_corrected(
    calibration: Calibration, passes: list[bool | None], message: str
) -> None:
    judged_rate = rate(passes, calibration)
    assert judged_rate is not None
    assert judged_rate.corrected is None
    assert message in (judged_rate.why_not or "")
