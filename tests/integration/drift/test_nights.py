"""`promptci drift` night after night, with a provider that changes under us: each cause is told apart."""

import json

import pytest
from fakes.changing_model import ChangingModel
from fakes.openai_server import OpenAIServer
from support.daily import first_daily
from support.drift_shop import CASES, REFERENCE, SECOND, DriftShop, judged, numbers, rules
from support.repositories import GOLDENS, PROMPT, goldens, prompt

from promptci.drift.night import DriftVerdict
from promptci.drift.reference import ReferenceDocument
from promptci.errors import InputError, UsageError
from promptci.git.data_branch import find_branch


def test_a_reference_is_collected_on_four_nights(shop: DriftShop) -> None:
    document = ReferenceDocument.load(shop.builder.path / REFERENCE)
    assert (document.answers, document.nights) == (20, ("2026-02-25", "2026-02-26", "2026-02-27", "2026-02-28"))
    assert set(document.cases.values()) == {(20.0, 0.0)}
    assert document.version == "v1.1.0"
    assert document.h is not None
    assert document.probe is not None
    assert sum(sum(counts.values()) for counts in document.probe.answers.values()) == 80
    (row,) = shop.freeze().prompts
    assert rules(row) == ["drift-frozen-whole"]


def test_a_steady_night_is_recorded_and_green(shop: DriftShop) -> None:
    shop.pass_nights()
    document = shop.watch()
    (row,) = document.prompts
    assert (row.verdict, document.exit_code) == (DriftVerdict.STEADY, 0)
    assert (row.quality, row.drop, row.cusum) == (1.0, 0.0, 0.0)
    (line,) = shop.lines()
    assert (line.marks, line.n, line.errors, line.models) == ("1" * CASES, CASES, 0, ("fake-1-2026-01-01",))
    assert line.day == "2026-03-02"


def test_a_model_that_changes_overnight_is_a_drift_and_its_cause_is_named(
    shop: DriftShop, model: ChangingModel
) -> None:
    assert shop.night().verdict is DriftVerdict.STEADY
    model.broken, model.name = numbers(4), "fake-1-2026-03-03"
    row = shop.night()
    assert row.verdict is DriftVerdict.DRIFT
    assert row.since == "2026-03-03"
    assert rules(row) == ["drift-sum", "drift-models", "drift-confirmed", "drift-pinned-holds"]
    text = " ".join(finding.text for finding in row.findings)
    assert "It answers worse: 80% of its goldens, and 100% in the reference of 2026-02-28." in text
    assert "`fake-1-2026-03-03` since 2026-03-03" in text
    assert "The model behind `fake-1` moved" in text
    assert "c000, c001, c002 and c003" in text
    assert shop.audited() == ["drift-opened"]


@pytest.mark.long
def test_a_drift_is_over_after_three_steady_nights(shop: DriftShop, model: ChangingModel) -> None:
    model.broken = numbers(4)
    assert [shop.night().verdict for _ in range(2)] == [DriftVerdict.DRIFT] * 2
    model.broken = set()
    nights = [shop.night() for _ in range(4)]
    assert [row.verdict for row in nights[-3:]] == [DriftVerdict.STEADY] * 3
    assert [row.since for row in nights][-1] is None
    assert [row.since for row in nights][:2] == ["2026-03-02"] * 2
    assert shop.audited() == ["drift-opened", "drift-closed"]


@pytest.mark.long
def test_a_small_drop_that_lasts_is_found_within_nights(shop: DriftShop, model: ChangingModel) -> None:
    model.broken = numbers(1)
    verdicts = [shop.night().verdict for _ in range(3)]
    assert verdicts[0] is DriftVerdict.STEADY
    assert verdicts[-1] is DriftVerdict.DRIFT


def test_an_outage_is_no_drift_and_leaves_no_mark_in_the_chart(shop: DriftShop, model: ChangingModel) -> None:
    model.broken = numbers(1)
    before = shop.night()
    model.is_down = True
    shop.pass_nights()
    document = shop.watch()
    (row,) = document.prompts
    assert (row.verdict, document.exit_code) == (DriftVerdict.OUTAGE, 4)
    assert row.cusum == before.cusum
    assert row.quality is None
    assert shop.lines()[-1].marks == "-" * CASES
    assert shop.audited() == []


def test_edited_goldens_are_not_comparable(shop: DriftShop) -> None:
    shop.edit({GOLDENS: goldens(CASES).replace('"GH-1000"}', '"GH-9999"}')})
    row = shop.night()
    assert row.verdict is DriftVerdict.NOT_COMPARABLE
    assert rules(row) == ["drift-not-comparable"]
    assert row.findings[0].facts["changes"] == ["goldens"]
    assert "promptci drift --freeze" in row.findings[0].text


def test_another_deployed_version_is_not_comparable(shop: DriftShop) -> None:
    path = "deployments/production.yml"
    text = (shop.builder.path / path).read_text().replace("v1.1.0", "v1.0.0")
    shop.edit({path: text})
    row = shop.night()
    assert (row.version, row.findings[0].facts["changes"]) == ("v1.0.0", ["prompt"])


def test_a_judge_that_moved_is_told_from_a_model_that_moved(
    shop: DriftShop, server: OpenAIServer, model: ChangingModel
) -> None:
    shop = judged(shop, server, model)
    assert shop.night().verdict is DriftVerdict.STEADY
    model.strict = numbers(5)
    row = shop.night()
    assert row.verdict is DriftVerdict.JUDGE_MOVED
    assert rules(row)[0] == "drift-judge-moved"
    assert row.since is None
    model.strict, model.broken = set(), numbers(5)
    row = shop.night()
    assert row.verdict is DriftVerdict.DRIFT
    assert "drift-judge-same" in rules(row)


def test_missed_nights_are_seen(shop: DriftShop) -> None:
    shop.night()
    shop.pass_nights(5)
    row = shop.night()
    assert row.verdict is DriftVerdict.STEADY
    assert rules(row) == ["drift-steady", "drift-missed-nights"]
    assert row.findings[1].facts == {"last": "2026-03-02", "nights": 5}


def test_cases_that_flip_by_themselves_are_asked_again_before_an_alarm(shop: DriftShop, model: ChangingModel) -> None:
    """They are wrong at the first reading and right at the second: over both, half the drop."""
    model.unsteady = numbers(3)
    for number in model.unsteady:
        model.asked[f"GH-{number}"] = 0
    row = shop.night()
    assert row.findings[0].facts["quality"] == pytest.approx(1 - 1.5 / CASES)
    assert "drift-not-confirmed" in rules(row)
    assert row.verdict is DriftVerdict.STEADY


def test_refusals_are_counted(shop: DriftShop, model: ChangingModel) -> None:
    model.refused = numbers(2)
    row = shop.night()
    assert "drift-refusals" in rules(row)
    assert shop.lines()[-1].refusals == 2


@pytest.mark.long
def test_while_learning_only_a_cliff_is_an_alarm(shop: DriftShop, model: ChangingModel) -> None:
    (shop.builder.path / REFERENCE).unlink()
    shop.freeze()
    shop.builder.commit("begin a reference")
    model.broken = numbers(1)
    assert [shop.night().verdict for _ in range(4)] == [DriftVerdict.LEARNING] * 4
    model.broken = numbers(10)
    row = shop.night()
    assert (row.verdict, rules(row)[0]) == (DriftVerdict.DRIFT, "drift-cliff")


def test_a_prompt_without_a_reference_is_not_green(shop: DriftShop) -> None:
    (shop.builder.path / REFERENCE).unlink()
    shop.builder.commit("no reference")
    shop.pass_nights()
    document = shop.watch()
    assert (rules(document.prompts[0]), document.exit_code) == (["drift-no-reference"], 1)
    assert rules(shop.night()) == ["drift-no-reference"]  # its line can be read again


def test_nothing_is_asked_that_cannot_be_compared(shop: DriftShop, server: OpenAIServer) -> None:
    """Answers without a reference, or with one of other goldens, would be paid for and compared with nothing."""
    shop.edit({GOLDENS: goldens(CASES).replace('"GH-1000"}', '"GH-9999"}')})
    before = len(server.calls)
    assert "so nothing was asked" in shop.night().findings[0].text
    (shop.builder.path / REFERENCE).unlink()
    shop.builder.commit("no reference")
    assert "so nothing was asked" in shop.night().findings[0].text
    assert len(server.calls) == before


def test_two_runs_on_one_day_are_one_night(shop: DriftShop, model: ChangingModel) -> None:
    model.broken = numbers(1)
    first = shop.night()
    (again,) = shop.watch().prompts
    assert (again.verdict, again.cusum) == (first.verdict, first.cusum)
    (third,) = shop.watch().prompts
    assert third.cusum == first.cusum
    assert (shop.night().cusum or 0) > (first.cusum or 0)


@pytest.mark.long
def test_a_drift_stays_open_when_the_night_is_run_again(shop: DriftShop, model: ChangingModel) -> None:
    model.broken = numbers(4)
    assert shop.night().verdict is DriftVerdict.DRIFT
    model.broken = set()
    for _ in range(4):
        (row,) = shop.watch().prompts
        assert row.since == "2026-03-02"


@pytest.mark.long
def test_a_reference_that_was_reset_starts_the_chart_again_and_is_audited(
    shop: DriftShop, model: ChangingModel
) -> None:
    model.broken = numbers(4)
    assert shop.night().verdict is DriftVerdict.DRIFT
    (shop.builder.path / REFERENCE).unlink()
    for _ in range(4):
        shop.pass_nights().freeze()
    shop.builder.commit("reset")
    row = shop.night()
    assert (row.verdict, row.since) == (DriftVerdict.STEADY, None)
    assert shop.audited() == ["drift-opened", "reference-reset", "drift-closed"]


def test_only_a_committed_reference_counts(shop: DriftShop) -> None:
    (shop.builder.path / REFERENCE).write_text("{}")
    assert shop.night().verdict is DriftVerdict.STEADY


def test_a_reference_that_cannot_be_read_is_an_error_with_its_file(shop: DriftShop) -> None:
    text = (shop.builder.path / REFERENCE).read_text().replace('"answers": 20', '"answers": "many"')
    shop.edit({REFERENCE: text})
    shop.pass_nights()
    document = shop.watch()
    assert document.prompts[0].verdict is DriftVerdict.ERROR
    assert document.prompts[0].findings[0].text.startswith("It cannot be watched: ")
    assert REFERENCE in document.prompts[0].findings[0].text
    frozen = shop.freeze()
    assert (frozen.prompts[0].verdict, frozen.exit_code) == (DriftVerdict.ERROR, 4)
    assert (shop.builder.path / REFERENCE).read_text() == text


def test_a_second_freeze_on_one_day_adds_nothing(shop: DriftShop) -> None:
    (shop.builder.path / REFERENCE).unlink()
    first = shop.freeze().prompts[0]
    again = shop.freeze().prompts[0]
    assert (first.findings[0].facts["answers"], again.findings[0].facts["added"]) == (5, 0)
    assert json.loads((shop.builder.path / REFERENCE).read_text())["nights"] == ["2026-03-01"]


def test_an_outage_adds_nothing_to_a_reference(shop: DriftShop, model: ChangingModel) -> None:
    (shop.builder.path / REFERENCE).unlink()
    model.is_down = True
    document = shop.freeze()
    assert (document.prompts[0].verdict, document.exit_code) == (DriftVerdict.OUTAGE, 4)
    assert not (shop.builder.path / REFERENCE).exists()


def test_without_deployments_the_prompts_of_the_branch_are_watched(shop: DriftShop) -> None:
    shop.builder.remove("deployments/production.yml")
    shop.edit({PROMPT: prompt(SECOND)})
    row = shop.night()
    assert row.verdict is DriftVerdict.STEADY
    assert row.version == shop.builder.git("rev-parse", "HEAD")[:7]


@pytest.mark.parametrize("at", first_daily(["yesterday", "2026-02-30T03:17:00Z"]))
def test_a_night_without_a_time_is_named_with_its_file(shop: DriftShop, at: str) -> None:
    shop.night()
    (line,) = shop.lines()
    spoilt = line.model_copy(update={"at": at}).model_dump_json(by_alias=True).encode() + b"\n"
    branch = find_branch(shop.builder.path, "origin")
    branch.append(lambda _: {"nights/2026/03-02.jsonl": spoilt}, "spoilt")
    with pytest.raises(InputError, match=r"nights/2026/03-02\.jsonl:1: `at`"):
        shop.night()


def test_nothing_to_watch_is_said_and_not_green(shop: DriftShop) -> None:
    shop.builder.remove("deployments/production.yml", PROMPT)
    shop.builder.commit("nothing left")
    document = shop.watch()
    assert (document.prompts, document.exit_code) == ([], 4)
    assert document.notes[0].startswith("Nothing is watched")


def test_an_unknown_prompt_is_refused(shop: DriftShop) -> None:
    with pytest.raises(UsageError, match="`parcel` is not watched"):
        shop.watch(prompts=("parcel",))


def test_a_deployed_version_that_is_gone_is_an_error_of_its_own(shop: DriftShop) -> None:
    path = "deployments/production.yml"
    text = (shop.builder.path / path).read_text() + "  parcel:\n    stable: prompts/parcel/v9.0.0\n"
    shop.edit({path: text})
    shop.pass_nights()
    document = shop.watch()
    assert {row.prompt: row.verdict.value for row in document.prompts} == {"order": "steady", "parcel": "error"}
    assert document.exit_code == 1


@pytest.mark.parametrize(
    ("row", "words"),
    first_daily(
        [
            ('{"vars": {"inptu": "where is GH-1?"}, "expected": "GH-1"}', "goldens/parcel.jsonl:1"),
            ('{"vars": {"input": "a"}, "assert": [{"type": "regex", "value": "("}]}', "goldens/parcel.jsonl:1"),
            ("{", "goldens/parcel.jsonl:1"),
        ]
    ),
)
def test_a_mistake_in_the_goldens_of_one_prompt_stops_no_other(shop: DriftShop, row: str, words: str) -> None:
    shop.builder.remove("deployments/production.yml")
    shop.edit({"prompts/parcel.prompt.yml": prompt(SECOND), "goldens/parcel.jsonl": row + "\n"})
    shop.pass_nights()
    document = shop.watch()
    verdicts = {row.prompt: row.verdict.value for row in document.prompts}
    assert verdicts == {"order": "steady", "parcel": "error"}
    assert words in document.prompts[1].findings[0].text
    assert document.exit_code == 1
    frozen = {row.prompt: row.verdict.value for row in shop.freeze().prompts}
    assert frozen == {"order": "steady", "parcel": "error"}


def test_a_dry_run_asks_nothing_and_prints_the_plan(shop: DriftShop, server: OpenAIServer) -> None:
    before = len(server.calls)
    document = shop.watch(dry_run=True)
    assert (document.dry_run, len(server.calls)) == (True, before)
    assert any("calls: 20" in line for line in shop.said)
    assert document.notes == []


def test_of_several_environments_one_must_be_named(shop: DriftShop) -> None:
    text = (shop.builder.path / "deployments/production.yml").read_text()
    shop.builder.remove("deployments/production.yml")
    shop.edit({"deployments/eu.yml": text, "deployments/us.yml": text})
    with pytest.raises(UsageError, match="--env one of: eu, us"):
        shop.watch()
    assert shop.night(environment="us").verdict is DriftVerdict.STEADY
