"""What is said of a judge: plain words first, numbers behind them, and nothing where nothing is known."""

from dataclasses import replace

import pytest
from support.report_situations import SITUATIONS

from promptci.report.build import judge_view
from promptci.report.markdown import markdown_renderer
from promptci.report.model.judge import JudgeView
from promptci.report.text import judge_text
from promptci.scoring.judges import trust
from promptci.scoring.judges.trust import Calibration, JudgedRate, JudgeSummary
from promptci.scoring.model import JudgeIdentity
from promptci.stats.estimates import ppi

WHO = JudgeIdentity(model="gpt-4o-mini", fingerprint="1a2b3c4d" * 8)
YES, NO = (True, True), (False, False)


def view(
    calibration: Calibration | None, *further: str, base: JudgedRate | None = None, head: JudgedRate | None = None
) -> JudgeView:
    judge = judge_view.build_judge_view(
        JudgeSummary(trust=trust.assess_trust(calibration, 0.6, further, (WHO,)), base=base, head=head)
    )
    assert judge is not None
    return judge


def numbers(calibration: Calibration | None) -> dict[str, str]:
    return dict(judge_text.judge_numbers(view(calibration)))


def test_where_no_judge_had_a_say_there_is_none() -> None:
    assert judge_view.build_judge_view(None) is None


def test_a_trusted_judge_is_trusted_for_its_kappa() -> None:
    assert judge_text.trust_sentence(view(Calibration(pairs=(YES, NO) * 40))) == (
        "It agrees with people well enough: kappa 1.00 (0.91 to 1.00) with 80 labels, where 0.6 is asked for."
        " Its scores count."
    )


def test_an_unchecked_judge_is_not_called_good() -> None:
    assert judge_text.trust_sentence(view(None)) == (
        "Nobody has checked it: there are no labels by people. Its scores count all the same."
    )


def test_every_reason_for_doubt_is_named() -> None:
    judge = view(Calibration(pairs=(YES, NO) * 5), "it passed an empty answer")
    assert judge_text.trust_sentence(judge) == (
        "It is not trusted: its agreement with people is not known: there are 10 labels, and 50 are needed;"
        " it passed an empty answer."
        " Its results are advisory and do not block."
    )


def test_the_numbers_are_those_of_the_labels() -> None:
    pairs = (YES,) * 20 + (NO,) * 10 + ((True, False),) * 4 + ((False, True),) * 6
    result = numbers(Calibration(pairs=pairs, unscored=2))
    assert result == {
        "Judge": "gpt-4o-mini sha256:1a2b3c4d1a2b",
        "Kappa asked for": "0.6 (judge.trust.min_kappa)",
        "Labels": "40, and 2 that the judge could not score",
        "Agreement": "75%, chance included",
        "Cohen's kappa": "0.47 (0.19 to 0.75); with 200 labels about ±0.13",
        "Gwet's AC1": "0.53",
        "Sensitivity": "83.3% (64.1% to 93.3%) of what people pass, the judge passes",
        "Specificity": "62.5% (38.6% to 81.5%) of what people fail, the judge fails",
        "Both pass": "20",
        "Only the judge passes": "6",
        "Only people pass": "4",
        "Both fail": "10",
    }


def test_what_cannot_be_computed_is_unknown_and_not_0() -> None:
    result = numbers(Calibration(pairs=(YES,) * 25))
    assert (result["Cohen's kappa"], result["Specificity"]) == (
        "unknown",
        "unknown of what people fail, the judge fails",
    )
    nothing = numbers(Calibration(unscored=3))
    assert (nothing["Agreement"], nothing["Gwet's AC1"]) == ("unknown, chance included", "unknown")


def test_with_the_recommended_labels_no_more_are_asked_for() -> None:
    assert trust.RECOMMENDED_LABELS == 200
    assert "with 200 labels" in numbers(Calibration(pairs=((YES, NO) * 100)[1:]))["Cohen's kappa"]
    assert "labels" not in numbers(Calibration(pairs=(YES, NO) * 100))["Cohen's kappa"]


def test_rates_are_said_with_their_correction_and_what_it_rests_on() -> None:
    people, marks, judged = [1.0, 0.0] * 20, [1.0, 1.0, 1.0, 0.0] * 10, [1.0] * 20 + [0.0] * 4
    side = JudgedRate(cases=24, passed=20 / 24, corrected=ppi.corrected(people, marks, judged))
    judge = view(Calibration(pairs=(YES, NO) * 20), base=side, head=JudgedRate(cases=1, passed=1.0, why_not="so it is"))
    before, now = judge_text.rate_sentences(judge)
    assert before.startswith("Before: the judge passes 83.3% of 24 cases; corrected by 40 human labels: 5")
    assert before.endswith("%), if the labelled answers are like these.")
    assert now == "Now: the judge passes 100% of 1 case; what people would pass cannot be told: so it is."
    correction = dict(judge_text.judge_numbers(judge))["Correction before"]
    assert correction.startswith("power-tuned prediction-powered inference, as sure as 4")


def test_a_single_version_has_no_before() -> None:
    side = JudgedRate(cases=3, passed=1 / 3)
    assert judge_text.rate_sentences(view(None, head=side)) == ["The judge passes 33.3% of 3 cases."]
    assert judge_text.rate_sentences(view(None)) == []


def test_hostile_names_are_made_valid_text() -> None:
    judge = judge_view.build_judge_view(
        JudgeSummary(trust=trust.assess_trust(None, 0.6, ["\ud800"], (replace(WHO, model="\ud800x"),)))
    )
    assert judge is not None
    assert (judge.identities[0][:7], judge.reasons) == ("\\ud800x", ["\\ud800"])


@pytest.mark.parametrize(
    ("situation", "message", "times"),
    [("judge_not_trusted", "The judge of", 1), ("judge_trusted", "The judge", 0), ("regressed", "The judge", 0)],
)
def test_the_comment_has_one_line_where_the_judge_is_not_trusted(situation: str, message: str, times: int) -> None:
    text = markdown_renderer.render_comment(SITUATIONS[situation]())
    assert text.count(message) == times
