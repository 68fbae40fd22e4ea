"""Quarantine over real repositories: what a committed file sets aside is asked and shown, and decides nothing."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.openai_server import Call, OpenAIServer
from fakes.repo import RepoBuilder
from support.daily import first_daily
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    config,
    goldens,
    make_environment,
    only,
    prompt,
    serving,
    shop,
    view,
)

from promptci.app.requests import CheckRequest
from promptci.evaluation import check, run

QUARANTINE = "goldens/order.quarantine.yml"
FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}
BETTER = "Copy the order number, nothing else."


def entry(case: str = "c001", until: str = "2026-12-31") -> str:
    return f"- {{case: {case}, owner: Ann, until: {until}, reason: a coin flip}}\n"


def breaks(*numbers: int) -> OpenAIServer:
    """A model that gets these orders wrong under the better prompt."""

    def answer(call: Call) -> str:
        result = re.search(r"GH-(\d+)", call.last_user_message)
        assert result
        wrong = call.body["messages"][0]["content"] == BETTER and int(result[1]) - 1000 in numbers
        return "no idea" if wrong else result[0]

    return serving(answer)


def changed(tmp_path: Path, server: OpenAIServer, files: Mapping[str, str], to: Mapping[str, str]) -> RepoBuilder:
    builder = shop(tmp_path, {**FILES, **files}, server)
    builder.write({PROMPT: prompt(BETTER), **to}).commit()
    return builder


def test_a_quarantined_case_is_asked_and_shown_and_named_and_does_not_decide(tmp_path: Path) -> None:
    with breaks(1) as server:
        outcome = checked(changed(tmp_path, server, {QUARANTINE: entry()}, {}))
    prompt_view = only(outcome)
    assert len(server.calls) == 120
    assert (prompt_view.verdict, prompt_view.pairs, prompt_view.cases, prompt_view.regressions) == ("pass", 59, 60, [])
    (case,) = [case for case in prompt_view.case_details if case.id == "c001"]
    assert (case.outcome, case.excluded_reason) == ("broken", "quarantined until 2026-12-31 by Ann: a coin flip")
    (named,) = [reason.text for reason in prompt_view.findings if reason.rule == "excluded"]
    assert named == "Has 1 excluded of 60 cases (quarantined until 2026-12-31 by Ann: a coin flip): c001."
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Excluded" in page
    assert "Broken <span" not in page
    assert 'failures="0"' in (tmp_path / "out" / "junit.xml").read_text()


@pytest.mark.long
def test_without_the_quarantine_the_same_case_counts(tmp_path: Path) -> None:
    with breaks(1) as server:
        outcome = checked(changed(tmp_path, server, {}, {}))
    assert (only(outcome).pairs, only(outcome).regressions) == (60, ["c001"])


def test_a_critical_case_in_quarantine_does_not_block_but_is_named_at_the_top(tmp_path: Path) -> None:
    critical = "".join(
        json.dumps({**json.loads(row), "critical": row.startswith('{"id": "c001"')}) + "\n"
        for row in goldens(60).splitlines()
    )
    with breaks(1) as server:
        outcome = checked(changed(tmp_path, server, {QUARANTINE: entry(), GOLDENS: critical}, {}))
        bare = checked(changed(tmp_path / "bare", server, {GOLDENS: critical}, {}), out=tmp_path / "again")
    assert (only(outcome).verdict, outcome.exit_code) == ("pass", 0)
    (note,) = view(outcome).notes
    assert note == (
        "The critical case `c001` of order is quarantined until 2026-12-31 by Ann: a coin flip. Until then it blocks"
        " nothing."
    )
    assert "critical case" in (tmp_path / "out" / "comment.md").read_text()
    assert only(bare).verdict == "fail"


@pytest.mark.long
def test_a_quarantine_that_ended_is_noted_and_the_case_counts(tmp_path: Path) -> None:
    with breaks(1) as server:
        outcome = checked(changed(tmp_path, server, {QUARANTINE: entry(until="2026-01-01")}, {}))
    assert (only(outcome).pairs, only(outcome).regressions) == (60, ["c001"])
    ended = "the quarantine of `c001` ended on 2026-01-01 (Ann)"
    assert view(outcome).notes == [f"{QUARANTINE}:1: {ended}. The case counts again."]


def test_the_day_is_that_of_the_clock_in_utc(tmp_path: Path) -> None:
    with breaks(1) as server:
        builder = changed(tmp_path, server, {QUARANTINE: entry(until="2026-03-01")}, {})
        environment, _ = make_environment()
        late = type(environment)(
            environ={},
            progress=environment.progress,
            print=environment.print,
            now=lambda: datetime(2026, 3, 1, 23, 59, tzinfo=UTC),
        )
        outcome = check.check(CheckRequest(root=builder.path, out=tmp_path / "out"), late)
    assert only(outcome).pairs == 59


@pytest.mark.long
def test_an_unknown_case_is_noted(tmp_path: Path) -> None:
    with serving() as server:
        outcome = checked(changed(tmp_path, server, {QUARANTINE: entry() + entry("gone")}, {}))
    assert view(outcome).notes == [f"{QUARANTINE}:2: there is no case `gone`, so nothing is quarantined."]


@pytest.mark.parametrize(("count", "pairs"), first_daily([(12, 48), (13, 60)]))
def test_more_than_a_fifth_in_quarantine_and_all_count(tmp_path: Path, count: int, pairs: int) -> None:
    listed = "".join(entry(f"c{i:03}") for i in range(count))
    with serving() as server:
        outcome = checked(changed(tmp_path, server, {QUARANTINE: listed}, {}))
    assert only(outcome).pairs == pairs
    limit = "13 of 60 cases are quarantined, more than the allowed 20%"
    refused = [note for note in view(outcome).notes if limit in note]
    assert len(refused) == (count == 13)


def test_a_change_cannot_quarantine_what_it_breaks(tmp_path: Path) -> None:
    with breaks(1, 2, 3, 4) as server:
        listed = "".join(entry(f"c{i:03}") for i in range(1, 5))
        outcome = checked(changed(tmp_path, server, {}, {QUARANTINE: listed}))
    assert (only(outcome).verdict, only(outcome).pairs) == ("fail", 60)
    assert f"This change edits {QUARANTINE}. It counts from when it is merged." in view(outcome).notes


def test_a_change_that_lifts_a_quarantine_is_noted_and_still_bound_by_it(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, {QUARANTINE: entry()}, {})
        builder.remove(QUARANTINE).commit()
        outcome = checked(builder)
    assert only(outcome).pairs == 59
    assert f"This change edits {QUARANTINE}. It counts from when it is merged." in view(outcome).notes


def test_a_broken_file_that_the_change_edits_is_an_error_with_its_line(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, {QUARANTINE: entry()}, {QUARANTINE: entry() + "- {case: c002}\n"})
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code, server.calls) == ("error", 4, [])
    assert [(p.path, p.line) for p in outcome.problems] == [(QUARANTINE, 2)]


def test_a_broken_file_alone_is_an_error_before_it_is_merged(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({QUARANTINE: "- c001\n"}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, [p.path for p in outcome.problems]) == ("error", [QUARANTINE])


def test_a_link_in_its_place_is_an_error_where_the_change_made_it(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.link(QUARANTINE, "/etc/passwd").commit()
        outcome = checked(builder)
    assert [(p.path, "symbolic link" in p.message) for p in outcome.problems] == [(QUARANTINE, True)]


def test_a_file_that_is_broken_at_base_quarantines_nothing_and_does_not_stop_the_change(tmp_path: Path) -> None:
    with serving() as server:
        outcome = checked(changed(tmp_path, server, {QUARANTINE: "- c001\n"}, {}))
    assert (only(outcome).verdict, only(outcome).pairs) == ("pass", 60)
    (note,) = view(outcome).notes
    assert note.startswith(f"{QUARANTINE}:1: a quarantined case must have exactly")
    assert note.endswith("Nothing in this file is quarantined.")


@pytest.mark.long
def test_files_of_that_name_elsewhere_are_none_of_our_business(tmp_path: Path) -> None:
    with serving() as server:
        outcome = checked(changed(tmp_path, server, {}, {"docs/plague.quarantine.yml": "rats: [\n"}))
    assert (view(outcome).verdict, view(outcome).notes) == ("pass", [])


@pytest.mark.long
def test_a_renamed_prompt_keeps_its_quarantine(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, QUARANTINE: entry()}, server)
        for before, after in (
            (PROMPT, "prompts/parcel.prompt.yml"),
            (GOLDENS, "goldens/parcel.jsonl"),
            (QUARANTINE, "goldens/parcel.quarantine.yml"),
        ):
            builder.rename(before, after)
        builder.write({"prompts/parcel.prompt.yml": prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert (only(outcome).status, only(outcome).pairs) == ("renamed", 59)


def test_a_change_cannot_slip_under_the_quarantine_of_another_prompt(tmp_path: Path) -> None:
    with breaks(1) as server:
        other = "goldens/other.quarantine.yml"
        builder = shop(tmp_path, {**FILES, other: entry(), "goldens/other.jsonl": goldens(60)}, server)
        builder.rename(PROMPT, "prompts/other.prompt.yml")
        builder.write({"prompts/other.prompt.yml": prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert all(case.excluded_reason is None for case in only(outcome).case_details)


@pytest.mark.long
def test_cases_of_a_prompt_file_are_quarantined_beside_it(tmp_path: Path) -> None:
    data = "testData:\n" + "".join(f"  - {{input: where is GH-{i}, expected: GH-{i}}}\n" for i in range(1000, 1040))
    data = data.replace("{input: where is GH-1001,", "{id: second, input: where is GH-1001,")
    aside = {"prompts/order.quarantine.yml": entry("second")}
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD, extra=data), **aside}, server)
        builder.write({PROMPT: prompt(BETTER, extra=data)}).commit()
        outcome = checked(builder)
    assert (only(outcome).cases, only(outcome).pairs) == (40, 39)


def test_a_run_of_one_revision_takes_that_revision_s_quarantine(tmp_path: Path) -> None:
    with serving() as server:
        files = {**FILES, QUARANTINE: entry(), "promptci.yml": config(server, gate={"min_quality": 1.0})}
        builder = shop(tmp_path, files)
        builder.write({GOLDENS: goldens(60).replace('"expected": "GH-1001"', '"expected": "wrong"')}).commit()
        request = CheckRequest(root=builder.path, out=tmp_path / "out")
        assert run.run(request, make_environment()[0]).exit_code == 0
        builder.write({QUARANTINE: "nonsense\n"}).commit()
        assert [p.path for p in run.run(request, make_environment()[0]).problems] == [QUARANTINE]


def test_a_deleted_prompt_gives_no_notes_of_its_cases(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, QUARANTINE: entry()}, server)
        builder.remove(PROMPT).commit()
        assert view(checked(builder)).notes == []


@pytest.mark.long
def test_the_chatty_prompt_still_fails_with_a_quarantine(tmp_path: Path) -> None:
    with serving() as server:
        outcome = checked(changed(tmp_path, server, {QUARANTINE: entry()}, {PROMPT: prompt(BAD)}))
    assert (only(outcome).verdict, len(only(outcome).regressions)) == ("fail", 29)
