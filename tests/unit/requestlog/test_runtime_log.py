"""The log of promptci.runtime, line by line as it writes it, and the names of OpenTelemetry."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import canary_traffic
from support.canary_traffic import START

from promptci.files.lines import JsonError
from promptci.requestlog import line, read
from promptci.requestlog.aliases import ALIASES
from promptci.requestlog.model import LateMark, Observation
from promptci.runtime import Bundle

BUNDLE = {
    "schema": "promptci/bundle/v1",
    "environment": "production",
    "serial": 1,
    "made": "2026-03-01T14:00:00Z",
    "commit": "0" * 40,
    "hash": 1,
    "prompts": {
        "order": {
            arm: {
                "version": version,
                "fingerprint": "8bff",
                "prompt": {
                    "model": "gpt-4o-mini",
                    "parameters": {},
                    "messages": [{"role": "user", "content": "Hi"}],
                    "response_format": "text",
                    "template": "fill",
                },
            }
            for arm, version in (("stable", "v1"), ("canary", "v2"))
        }
        | {"share": 10_000, "salt": "order@v2"}
    },
}


def everything(_: object) -> bool:
    return True


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(BUNDLE))
    return Bundle(str(path), log=tmp_path / "requests.jsonl", builtin=json.dumps(BUNDLE).encode())


def test_what_the_runtime_writes_is_read(bundle: Bundle, tmp_path: Path) -> None:
    answer = {"model": "gpt-4o-mini-2024-07-18", "id": "chatcmpl-1", "usage": {"input_tokens": 9, "output_tokens": 41}}
    good = bundle.choose("order", key="account-1").record(answer=answer, latency_ms=812, cost_usd=0.0021)
    failed = bundle.choose("order", key=None).record(error=TimeoutError())
    bundle.late(good, quality=0.5, signal="negative")
    bundle.late("other-application", quality=1)
    found = read.load_log([tmp_path / "requests.jsonl"], everything)
    assert (found.lines, found.invalid_lines, found.late_lines) == (4, 0, 2)
    requests = {one.id: one for one in found.requests}
    one, other = requests[good], requests[failed]
    assert (one.prompt, one.version, one.arm, one.share, len(one.user or "")) == ("order", "v2", "canary", 100, 16)
    assert (one.latency_ms, one.cost_usd, one.quality, one.signal) == (812, 0.0021, 0.5, "negative")
    assert (one.model, one.response_model, one.output_tokens) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", 41)
    assert one.scored is not None
    assert one.scored >= one.time
    assert (other.arm, other.user, other.error, other.quality) == ("stable", None, "TimeoutError", None)


def entry(**changed: Any) -> str:
    return json.dumps(canary_traffic.runtime_entry(canary_traffic.traffic(1)[0], **changed))


def request(**changed: Any) -> Observation:
    found = line.parse_line(entry(**changed))
    assert isinstance(found, Observation)
    return found


def late(**changed: Any) -> str:
    return json.dumps({"time": (START + timedelta(hours=1)).isoformat(), "promptci.request": "r0", **changed})


def test_the_share_is_in_hundredths_of_a_percent_but_in_logs_with_the_first_names() -> None:
    assert request(**{"promptci.share": 550}).share == 5.5
    assert request(**{"promptci.share": 5.5, "promptci.arm": "stable"}).share == 5.5


def test_names_of_opentelemetry_are_read() -> None:
    text = json.dumps(
        {
            "time": "2026-03-02T10:00:00Z",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.prompt.name": "order",
            "gen_ai.prompt.version": "v1",
            "feature_flag.context.id": "account-1",
            "gen_ai.client.operation.duration": 0.25,
            "gen_ai.usage.cost.amount": 0.5,
        }
    )
    found = line.parse_line(text)
    assert isinstance(found, Observation)
    assert (found.id, found.arm, found.key, found.user) == ("chatcmpl-1", None, "account-1", "account-1")
    assert (found.latency_ms, found.cost_usd) == (250, 0.5)


def test_an_empty_text_is_null() -> None:
    found = request(**{"error.type": "", "promptci.unit": "", "promptci.latency_ms": ""})
    assert (found.error, found.user, found.latency_ms) == (None, None, None)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"feature_flag.result.variant": None}, "`feature_flag.result.variant` is missing"),
        ({"gen_ai.prompt.name": None}, "`gen_ai.prompt.name` is missing"),
        ({"gen_ai.usage.cost.amount": "1e3"}, "`gen_ai.usage.cost.amount` is '1e3'"),
        ({"promptci.share": 10_001}, "`promptci.share` is '10001'"),
        ({"promptci.share": [5]}, "`promptci.share` is '\\[5\\]'"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_that_was_used(changed: dict[str, Any], what: str) -> None:
    with pytest.raises(JsonError, match=what):
        line.parse_line(entry(**changed))


def test_an_evaluation_of_another_name_is_no_quality() -> None:
    mark = {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 7}
    assert line.parse_line(late(**mark)) == LateMark(id="r0", time=START + timedelta(hours=1))
    assert request(**mark).quality is None


def test_the_earliest_mark_counts_wherever_it_stands(tmp_path: Path) -> None:
    """What was decided by an earlier look must not be changed by a later line."""
    first = late(**{"promptci.signal": "negative", "gen_ai.usage.cost.amount": "0.25"})
    then = (START + timedelta(hours=2)).isoformat()
    again = late(**{"promptci.quality": 0.5, "promptci.signal": "positive", "time": then})
    path = tmp_path / "a.jsonl"
    path.write_text(f"{again}\n{first}\n" + entry(**{"gen_ai.usage.cost.amount": None}) + "\n")
    (found,) = read.load_log([path], everything).requests
    assert (found.quality, found.signal, found.cost_usd) == (0.5, "negative", 0.25)


def test_a_mark_of_the_request_itself_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(entry(**{"promptci.quality": 1}) + "\n" + late(**{"promptci.quality": 0}) + "\n")
    (found,) = read.load_log([path], everything).requests
    assert (found.quality, found.scored) == (1, None)


def test_every_first_name_is_one_that_the_runtime_writes() -> None:
    written = {*json.loads(entry()), "promptci.signal", "gen_ai.evaluation.score.value", "feature_flag.context.id"}
    assert {aliases[0].name for aliases in ALIASES.values()} == written
