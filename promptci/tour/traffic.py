"""Customers of the play: request log lines, split between the arms by the hash of promptci's runtime."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from promptci.lazy_dataclass import dataclass
from promptci.runtime import point
from promptci.tour.play_model import chance


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedArm:
    """How a version fares with customers."""

    version: str
    quality: float
    latency_ms: float
    cost_usd: float
    response_model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedPrompt:
    """What customers get of one prompt."""

    prompt: str
    model: str
    stable: ServedArm
    canary: ServedArm | None = None
    share: float = 0.0
    """In percent."""


def write_day(path: Path, begin: datetime, served: ServedPrompt, *, requests: int, hours: float = 24.0) -> None:
    """Add the lines of some hours to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for line in _make_lines(begin, served, requests, hours):
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


def _make_lines(begin: datetime, served: ServedPrompt, requests: int, hours: float) -> Iterator[Mapping[str, Any]]:
    salt = f"{served.prompt}@{served.canary.version}" if served.canary else ""
    for number in range(requests):
        user = f"customer-{begin:%Y%m%d%H}-{number}"
        is_canary = served.canary is not None and point(salt, user) * 10000 < served.share * 100 * 2**32
        arm = served.canary if is_canary and served.canary else served.stable
        draw = _draws(served.prompt, user)
        moment = begin + timedelta(hours=hours * number / requests)
        yield {
            "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{number % 1000:03}Z",
            "promptci.request": f"{served.prompt}-{user}",
            "gen_ai.prompt.name": served.prompt,
            "gen_ai.prompt.version": arm.version,
            "feature_flag.result.variant": "canary" if is_canary else "stable",
            "promptci.share": round(served.share * 100),
            "promptci.unit": user,
            "promptci.latency_ms": round(arm.latency_ms * (0.6 + 0.9 * draw("latency") ** 2), 1),
            "gen_ai.request.model": served.model,
            "gen_ai.response.model": arm.response_model,
            "gen_ai.usage.input_tokens": 180,
            "gen_ai.usage.output_tokens": 8,
            "gen_ai.usage.cost.amount": f"{arm.cost_usd * (0.8 + 0.4 * draw('cost')):.8f}",
            "gen_ai.evaluation.name": "quality",
            "gen_ai.evaluation.score.value": int(draw("quality") < arm.quality),
        }


def _draws(prompt: str, user: str) -> Callable[[str], float]:
    return lambda name: chance(prompt, user, name)
