"""Runs through a Batch API: half the price, a later run that collects, and nothing that is paid for twice."""

import dataclasses
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.batch_api import BatchApi, Line
from fakes.repo import RepoBuilder
from fakes.virtual_clock import VirtualClock
from support.daily import first_daily, some_daily
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, make_environment, prompt, shop

from promptci.app.requests import CheckRequest, RunResult
from promptci.evaluation import check
from promptci.pipeline.environment import Trigger

CASES = 20
PRICES = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 1}}}


def model(line: Line) -> str:
    """Copies the number; chats about odd ones where it is told to."""
    system, user = (message["content"] for message in line["body"]["messages"])
    number = re.findall(r"GH-(\d+)", user)[0]
    return f"Sure! GH-{number}" if "chatty" in system and int(number) % 2 else f"GH-{number}"


@pytest.fixture
def api() -> Iterator[BatchApi]:
    with BatchApi(model) as running:
        yield running


def repo(path: Path, api: BatchApi, **run: Any) -> RepoBuilder:
    sections: dict[str, Any] = {
        "provider": {"base_url": api.base_url, **PRICES},
        "run": {"batch": "always", "memory": None, **run},
    }
    builder = shop(path, {PROMPT: prompt(GOOD), GOLDENS: goldens(CASES), "promptci.yml": config(None, **sections)})
    builder.write({PROMPT: prompt(BAD)}).commit()
    return builder


def checked(builder: RepoBuilder, out: str = "out", *, scheduled: bool = False, **request: Any) -> RunResult:
    clock = VirtualClock(wall=time.time()).clock  # a batch that is never ready is waited for until the deadline
    environment = dataclasses.replace(
        make_environment(OPENAI_API_KEY="sk-key-0123456789")[0], trigger=Trigger(scheduled=scheduled), clock=clock
    )
    return check.check(CheckRequest(root=builder.path, out=builder.path.parent / out, **request), environment)


def verdict(outcome: RunResult) -> str:
    assert outcome.view is not None
    return outcome.view.verdict


def dump_view(outcome: RunResult) -> str:
    assert outcome.view is not None
    return json.dumps(outcome.view.model_dump(mode="json"))


def test_everything_is_asked_in_one_batch_at_half_the_price(tmp_path: Path, api: BatchApi) -> None:
    builder = repo(tmp_path, api, cache=None)
    outcome = checked(builder)
    direct = repo(tmp_path / "direct", api, batch="never", cache=None)
    whole = checked(direct)

    assert outcome.view is not None
    assert whole.view is not None
    assert (verdict(outcome), len(api.batches), len(api.billed)) == ("fail", 1, 2 * CASES)
    assert len(api.direct) == 2 * CASES
    assert outcome.view.spend.calls == whole.view.spend.calls == 2 * CASES
    assert outcome.view.spend.usd == pytest.approx((whole.view.spend.usd or 0) / 2)
    # What a request costs those who use the prompt is not what a batch costs us.
    assert outcome.view.prompts[0].cost_usd == whole.view.prompts[0].cost_usd
    assert outcome.view.prompts[0].regressions == whole.view.prompts[0].regressions
    assert "40 of 40 questions were answered by batch, at half the price." in outcome.view.notes


def test_the_key_is_in_no_file(tmp_path: Path, api: BatchApi) -> None:
    checked(repo(tmp_path, api))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"sk-key-0123456789" not in written


def test_without_a_schedule_auto_asks_at_once(tmp_path: Path, api: BatchApi) -> None:
    builder = repo(tmp_path, api, batch="auto", cache=None)
    checked(builder)
    assert (api.batches, len(api.direct)) == ({}, 2 * CASES)
    checked(builder, "other", scheduled=True)
    assert (len(api.batches), len(api.direct)) == (1, 2 * CASES)


def test_a_later_run_collects_what_was_not_ready(tmp_path: Path, api: BatchApi) -> None:
    api.looks = 10**6
    builder = repo(tmp_path, api)
    first = checked(builder)
    assert (verdict(first), first.exit_code) == ("error", 4)
    assert "a later run will collect it" in dump_view(first)

    api.looks = 1
    second = checked(builder, "later")
    assert verdict(second) == "fail"
    assert (len(api.batches), len(api.uploads), len(api.billed), api.direct) == (1, 1, 2 * CASES, [])

    third = checked(builder, "third")  # from the cache
    assert (verdict(third), len(api.batches)) == ("fail", 1)


@pytest.mark.long
def test_a_later_run_of_other_prompts_takes_what_fits(tmp_path: Path, api: BatchApi) -> None:
    api.looks = 10**6
    builder = repo(tmp_path, api)
    checked(builder)
    builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
    api.looks = 1
    assert verdict(checked(builder, "later")) == "inconclusive"
    assert [len(batch.lines) for batch in api.batches.values()] == [2 * CASES, CASES]


def test_a_batch_whose_name_was_never_written_down_is_found_again(tmp_path: Path, api: BatchApi) -> None:
    api.looks = 10**6
    builder = repo(tmp_path, api)
    checked(builder)
    (builder.path / ".promptci/cache/batches.json").unlink()  # as if killed right after the order
    api.looks = 1
    assert verdict(checked(builder, "later")) == "fail"
    assert (len(api.batches), len(api.billed)) == (1, 2 * CASES)


@pytest.mark.long
def test_what_was_collected_is_not_collected_again_but_asked_anew(tmp_path: Path, api: BatchApi) -> None:
    builder = repo(tmp_path, api, cache=None)
    checked(builder)
    checked(builder, "next night")  # on another machine: nothing is known here of the night before
    assert [len(batch.lines) for batch in api.batches.values()] == [2 * CASES] * 2


@pytest.mark.long
def test_a_batch_of_last_week_is_left_alone(tmp_path: Path, api: BatchApi) -> None:
    api.looks = 10**6
    builder = repo(tmp_path, api, cache=None)
    checked(builder)
    api.batches["batch-0"].age_s = 7 * 86_400
    api.looks = 1
    assert verdict(checked(builder, "later")) == "fail"
    assert len(api.batches) == 2


@pytest.mark.parametrize(
    "text", some_daily(["", "[]", "{", '{"schema": "promptci/batches/v1", "batches": 1}', "\0"], 2)
)
def test_a_broken_note_of_batches_is_none(tmp_path: Path, api: BatchApi, text: str) -> None:
    builder = repo(tmp_path, api)
    builder.write({".promptci/cache/batches.json": text})
    assert verdict(checked(builder)) == "fail"


def test_an_order_whose_answer_is_lost_is_not_made_twice(tmp_path: Path, api: BatchApi) -> None:
    api.lose_create = True
    assert verdict(checked(repo(tmp_path, api))) == "fail"
    assert (len(api.batches), len(api.billed)) == (1, 2 * CASES)


@pytest.mark.parametrize(("ending", "answered"), first_daily([("failed", 0), ("expired", CASES), ("cancelled", 0)]))
def test_a_batch_that_ends_badly_is_an_error_and_the_next_run_orders_the_rest(
    tmp_path: Path, api: BatchApi, ending: str, answered: int
) -> None:
    api.ending = ending
    builder = repo(tmp_path, api)
    outcome = checked(builder)
    assert (verdict(outcome), len(api.billed), api.direct) == ("error", answered, [])
    assert f"is {ending}, without this answer" in dump_view(outcome)
    assert ("the file is not right" in dump_view(outcome)) == (ending == "failed")

    api.ending = "completed"
    again = checked(builder, "again")
    assert verdict(again) == "fail"
    assert len(api.billed) == len(set(api.billed)) == 2 * CASES


def test_a_line_that_the_endpoint_rejects_is_a_wrong_answer_of_that_version(tmp_path: Path, api: BatchApi) -> None:
    def answer(line: Line) -> str | dict[str, Any]:
        if "GH-1003" in line["body"]["messages"][1]["content"]:
            return {"response": {"status_code": 400, "body": {"error": {"message": "not this one"}}}}
        return model(line)

    api.answer = answer
    outcome = checked(repo(tmp_path, api))
    assert outcome.view is not None
    assert (outcome.view.prompts[0].errors, outcome.view.prompts[0].pairs) == (0, CASES)
    assert "not this one" in dump_view(outcome)
    assert api.direct == []


def test_a_line_that_failed_at_the_endpoint_is_missing_data(tmp_path: Path, api: BatchApi) -> None:
    def answer(line: Line) -> str | dict[str, Any]:
        if "GH-1003" in line["body"]["messages"][1]["content"]:
            return {"response": {"status_code": 500, "body": {"error": {"message": "out of order"}}}}
        return model(line)

    api.answer = answer
    outcome = checked(repo(tmp_path, api))
    assert outcome.view is not None
    assert (outcome.view.prompts[0].errors, outcome.view.prompts[0].pairs) == (2, CASES - 1)
    assert "out of order" in dump_view(outcome)


@pytest.mark.parametrize(
    "spoil",
    some_daily(
        [
            lambda _: b"",
            lambda content: content[: len(content) // 3],
            lambda _: b"<html>",
            lambda content: content.replace(b'"choices"', b'"chances"'),
            lambda content: content.replace(b'"custom_id"', b'"other_id"'),
            lambda _: b"[1,2]\nnull\n" + b"[" * 9999,
            lambda content: content.replace(b"200", b'"x"'),
        ],
        2,
    ),
    ids=["empty", "torn", "a page", "no choices", "no names", "other json", "no status"],
)
def test_an_output_that_makes_no_sense_is_an_error(tmp_path: Path, api: BatchApi, spoil: Any) -> None:
    api.spoil = spoil
    outcome = checked(repo(tmp_path, api))
    assert (verdict(outcome), outcome.exit_code, api.direct) == ("error", 4, [])


def test_without_a_batch_api_everything_is_asked_directly(tmp_path: Path, api: BatchApi) -> None:
    api.without = True
    outcome = checked(repo(tmp_path, api))
    assert (verdict(outcome), len(api.direct)) == ("fail", 2 * CASES)
    assert "no Batch API" in dump_view(outcome)


def test_the_budget_bounds_the_order_and_pairs_stay_whole(tmp_path: Path, api: BatchApi) -> None:
    # At most 8 + 4 + 16 tokens a call or so: of forty some twenty fit, at half their price.
    builder = repo(tmp_path, api, budget_usd=0.0004)
    outcome = checked(builder)
    (batch,) = api.batches.values()
    assert 4 < len(batch.lines) < 2 * CASES
    assert len(batch.lines) % 2 == 0
    assert outcome.view is not None
    assert verdict(outcome) == "error"
    assert (outcome.view.spend.usd or 0) <= 0.0004
    assert outcome.view.prompts[0].pairs == len(batch.lines) // 2


def test_the_estimate_says_half(tmp_path: Path, api: BatchApi) -> None:
    builder = repo(tmp_path, api)
    environment, output = make_environment(OPENAI_API_KEY="k")
    check.check(CheckRequest(root=builder.path, dry_run=True), environment)
    price, half = (float(re.findall(r"\$([\d.]+)", line)[0]) for line in output if "at most $" in line)
    assert half == pytest.approx(price / 2, abs=1e-4)
    assert api.seen == []


def test_a_killed_run_that_had_collected_asks_nothing_and_counts_half(tmp_path: Path, api: BatchApi) -> None:
    builder = repo(tmp_path, api, cache=None)
    whole = checked(builder)
    (tmp_path / "out" / "report.json").unlink()
    calls = len(api.seen)
    again = checked(builder)
    assert len(api.seen) == calls
    assert again.view is not None
    assert whole.view is not None
    assert again.view.spend == whole.view.spend
