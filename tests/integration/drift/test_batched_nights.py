"""`run.batch` and the nights of drift: half the price, and never the answers of another night."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fakes.batch_api import BatchApi, Line
from fakes.virtual_clock import VirtualClock
from support.drift_shop import CASES, DriftShop, numbers
from support.repositories import config

from promptci.drift.night import DriftVerdict
from promptci.evaluation.nights.results import DriftRow
from promptci.pipeline.environment import Environment, Trigger
from promptci.usecases.drift import watch
from promptci.usecases.drift.watch import DriftRequest

PRICES = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 1}}}
BROKEN: set[int] = set()


def answer(line: Line) -> str:
    ticket = re.search(r"GH-(\d+)", line["body"]["messages"][-1]["content"])
    return ticket[0] if ticket and int(ticket[1]) not in BROKEN else "no idea"


@pytest.fixture
def api() -> Iterator[BatchApi]:
    BROKEN.clear()
    with BatchApi(answer) as running:
        yield running


def by_batch(shop: DriftShop, api: BatchApi, batch: str = "always") -> DriftShop:
    provider = {"base_url": api.base_url, **PRICES}
    shop.edit({"promptci.yml": config(None, provider=provider, run={"batch": batch})})
    return shop


def environment(shop: DriftShop, *, scheduled: bool = False) -> Environment:
    """An environment in which waiting for a batch takes no time."""
    clock = VirtualClock(wall=time.time()).clock
    environ = {"OPENAI_API_KEY": "sk-key-0123456789"}
    return replace(shop.env, clock=clock, environ=environ, trigger=Trigger(scheduled=scheduled))


def night(shop: DriftShop, *, at_once: bool = False, scheduled: bool = False) -> DriftRow:
    shop.pass_nights()
    request = DriftRequest(root=shop.builder.path, at_once=at_once)
    (row,) = watch.watch_night(request, environment(shop, scheduled=scheduled)).prompts
    return row


def test_a_night_is_asked_in_one_batch_at_half_the_price(shop: DriftShop, api: BatchApi) -> None:
    by_batch(shop, api)
    assert night(shop).verdict is DriftVerdict.STEADY
    assert (len(api.batches), len(api.billed), len(api.direct)) == (1, CASES, 0)
    night(shop, at_once=True)
    assert (len(api.batches), len(api.direct)) == (1, CASES)
    half, whole = (float(line.usd or 0) for line in shop.lines())
    assert half == pytest.approx(whole / 2)


@pytest.mark.long
def test_auto_uses_batches_on_a_schedule_only(shop: DriftShop, api: BatchApi) -> None:
    by_batch(shop, api, "auto")
    night(shop)
    assert (len(api.batches), len(api.direct)) == (0, CASES)
    night(shop, scheduled=True)
    assert (len(api.batches), len(api.direct)) == (1, CASES)


def test_what_is_asked_before_an_alarm_does_not_wait_for_a_batch(shop: DriftShop, api: BatchApi) -> None:
    by_batch(shop, api)
    BROKEN.update(numbers(8))
    assert night(shop).verdict is DriftVerdict.DRIFT
    assert (len(api.batches), len(api.direct)) == (1, CASES)


def test_the_answers_of_a_night_that_were_not_ready_are_never_those_of_the_next(shop: DriftShop, api: BatchApi) -> None:
    by_batch(shop, api)
    api.looks = 10**9
    assert night(shop).verdict is DriftVerdict.ERROR
    for batch in api.batches.values():  # it ends after the run has given up
        api._finish(batch)
    api.looks = 1
    BROKEN.update(numbers(8))
    assert night(shop).verdict is DriftVerdict.DRIFT
    assert len(api.batches) == 2


@pytest.mark.long
def test_a_second_run_of_the_night_collects_what_was_not_ready(shop: DriftShop, api: BatchApi) -> None:
    by_batch(shop, api)
    api.looks = 10**9
    assert night(shop).verdict is DriftVerdict.ERROR
    api.looks = 1
    (row,) = watch.watch_night(DriftRequest(root=shop.builder.path), environment(shop)).prompts
    assert (row.verdict, len(api.batches)) == (DriftVerdict.STEADY, 1)
