"""Made-up traffic of a canary: requests of both arms, and the lines an application would log of them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from promptci.requestlog.model import Observation

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STABLE, CANARY, PROMPT = "v1", "v2", "order"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """How an arm fares."""

    quality: float | None = 0.96
    """Chance that an answer is good; None: not judged."""
    errors: float = 0.01
    latency_ms: float = 800.0
    cost_usd: float | None = 0.002
    complaints: float = 0.01


def traffic(
    n: int, canary: Ways = Ways(), stable: Ways = Ways(), *, share: float = 5, hours: float = 30, seed: int = 1
) -> list[Observation]:
    """Return `n` requests, one of each user, evenly over `hours` from START on."""
    return list(_drawn_traffic(n, (canary, stable), share, hours, seed))


@lru_cache(maxsize=8)
def _drawn_traffic(
    n: int, ways_by_arm: tuple[Ways, Ways], share: float, hours: float, seed: int
) -> tuple[Observation, ...]:
    """Draw the requests; many tests ask for the same ones, and none can change them."""
    draw = Random(seed)  # noqa: S311 - made-up data
    canary, stable = ways_by_arm
    requests = []
    for index in range(n):
        arm = "canary" if draw.random() < share / 100 else "stable"
        ways = canary if arm == "canary" else stable
        time = START + timedelta(hours=hours) * index / n
        requests.append(_request(index, (arm, share), ways, time, draw))
    return tuple(requests)


def _request(index: int, arm_and_share: tuple[str, float], ways: Ways, time: datetime, draw: Random) -> Observation:
    arm, share = arm_and_share
    failed = draw.random() < ways.errors
    good = draw.random() < (ways.quality or 0)
    return Observation(
        id=f"r{index}",
        time=time,
        prompt=PROMPT,
        version=STABLE if arm == "stable" else CANARY,
        arm=arm,
        share=share,
        user=f"u{index}",
        error="timeout" if failed else None,
        latency_ms=ways.latency_ms * draw.lognormvariate(0, 0.4),
        cost_usd=None if ways.cost_usd is None or failed else round(ways.cost_usd * draw.uniform(0.5, 1.5), 12),
        quality=None if failed or ways.quality is None else float(good),
        signal="negative" if draw.random() < ways.complaints else None,
        model="gpt-4o-mini",
        output_tokens=None if failed else 120,
    )


def entry(observation: Observation, **changed: Any) -> dict[str, Any]:
    """The line of one request, as docs/canary.md has it."""
    value = {
        "time": observation.time.isoformat(),
        "promptci.request": observation.id,
        "promptci.prompt": observation.prompt,
        "promptci.version": observation.version,
        "promptci.arm": observation.arm,
        "promptci.share": observation.share,
        "promptci.user": observation.user,
        "error.type": observation.error,
        "promptci.latency_ms": observation.latency_ms,
        "promptci.cost_usd": observation.cost_usd,
        "promptci.quality": observation.quality,
        "promptci.signal": observation.signal,
        "gen_ai.request.model": observation.model,
        "gen_ai.usage.output_tokens": observation.output_tokens,
    }
    return {key: value for key, value in {**value, **changed}.items() if value is not None}


def runtime_entry(observation: Observation, **changed: Any) -> dict[str, Any]:
    """The line of one request, as promptci.runtime writes it; the mark and the signal come in a line of `late`."""
    value = {
        "time": observation.time.isoformat(),
        "promptci.request": observation.id,
        "gen_ai.prompt.name": observation.prompt,
        "gen_ai.prompt.version": observation.version,
        "feature_flag.result.variant": observation.arm,
        "promptci.share": None if observation.share is None else round(observation.share * 100),
        "promptci.unit": observation.user,
        "promptci.latency_ms": observation.latency_ms,
        "gen_ai.request.model": observation.model,
        "gen_ai.response.model": observation.response_model,
        "gen_ai.usage.output_tokens": observation.output_tokens,
        "gen_ai.usage.cost.amount": None if observation.cost_usd is None else f"{observation.cost_usd:.12f}",
        "error.type": observation.error,
    }
    return {**value, **changed}


def lines(requests: Iterable[Observation]) -> Iterator[str]:
    """The log's lines."""
    return (json.dumps(entry(request)) for request in requests)


def write(path: Path, requests: Iterable[Observation]) -> Path:
    """Write a log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines(requests)))
    return path
