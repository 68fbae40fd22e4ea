"""A whole run with `similar`: the same endpoint, budget, cache, journal and recording as every other answer."""

import json
from pathlib import Path
from typing import Any

from fakes.openai_server import Call, OpenAIServer, Reply, error
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    config,
    make_environment,
    only,
    prompt,
    serving,
    shop,
)

from promptci.usecases.reporting import report

COUNT = 8
PRICES = {"prices": {"embed-1": {"input_usd": 1, "output_usd": 1}}}


def replies(call: Call) -> str:
    """Word the answer in a new way each time; chatty ones say something else."""
    number = call.last_user_message.removeprefix("where is GH-").removesuffix("?")
    chatty = "chatty" in call.body["messages"][0]["content"]
    return f"what a lovely day {number}" if chatty else f"your order {number} is on its way"


def rows(**assertion: Any) -> str:
    results = [
        {
            "id": f"c{i}",
            "vars": {"input": f"where is GH-{i}?"},
            "expected": f"your order {i} is on the way",
            "assert": [{"type": "similar", **assertion}],
        }
        for i in range(COUNT)
    ]
    return "".join(json.dumps(row) + "\n" for row in results)


def repository(path: Path, server: OpenAIServer, goldens: str = "", **sections: Any) -> Any:
    text = config(server, **{"judge": {"embedding_model": "embed-1"}, **sections})
    files = {"promptci.yml": text, PROMPT: prompt(GOOD), GOLDENS: goldens or rows()}
    builder = shop(path, files)
    builder.write({PROMPT: prompt(BAD)}).commit()
    return builder


def embedded(server: OpenAIServer) -> list[str]:
    return [call.body["input"] for call in server.calls if call.path == "/v1/embeddings"]


def test_an_answer_that_says_the_same_in_other_words_passes_and_another_fails(tmp_path: Path) -> None:
    with serving(replies) as server:
        outcome = checked(repository(tmp_path, server, provider=PRICES))
    prompt_view = only(outcome)
    assert prompt_view.quality is not None
    assert (prompt_view.quality.measure, prompt_view.quality.base, prompt_view.quality.head) == ("pass rate", 1.0, 0.0)
    assert (outcome.exit_code, len(prompt_view.regressions)) == (1, COUNT)
    (mark,) = prompt_view.case_details[0].head.marks if prompt_view.case_details[0].head else []
    assert (mark.type, mark.passed, mark.score) == ("similar", False, 0.0)
    assert mark.reason.startswith("similarity 0.17, at least 0.80 wanted")
    # Each distinct text once: what is wanted is the same for both versions.
    assert len(embedded(server)) == len(set(embedded(server))) == 3 * COUNT
    assert outcome.view is not None
    assert outcome.view.spend.calls == 5 * COUNT
    assert outcome.view.spend.usd == sum(len(text.split()) for text in embedded(server)) / 1e6


def test_an_interrupted_run_asks_no_embedding_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serving(replies) as server:
        builder = repository(tmp_path, server)
        whole = checked(builder, no_cache=True)
        lines = (out / "journal.jsonl").read_bytes().splitlines(keepends=True)
        (out / "journal.jsonl").write_bytes(b"".join(lines[:-5]))
        (out / "report.json").unlink()
        server.calls.clear()
        resumed = checked(builder, no_cache=True)
        assert len(server.calls) == len(embedded(server)) == 5
    assert only(resumed).case_details == only(whole).case_details
    assert len((out / "journal.jsonl").read_bytes().splitlines()) == len(lines)


def test_the_cache_and_the_journal_and_a_recording_hold_the_vectors(tmp_path: Path) -> None:
    tape = tmp_path / "shop" / "answers.jsonl"
    with serving(replies) as server:
        builder = repository(tmp_path, server)
        live = checked(builder, record=tape)
        checked(builder)
        server.calls.clear()
        cached = checked(builder)
        assert server.calls == []
    drawn = report.redraw_report(
        tmp_path / "out" / "journal.jsonl", tmp_path / "drawn", builder.path, make_environment()[0]
    )
    assert len(tape.read_text().splitlines()) == 5 * COUNT
    builder.git("switch", "--quiet", "main")
    replayed = config(provider={"kind": "recorded", "path": "answers.jsonl"}, judge={"embedding_model": "embed-1"})
    builder.write({"promptci.yml": replayed}).commit()
    builder.branch("again").write({PROMPT: prompt(BAD)}).commit()
    again = checked(builder, out=tmp_path / "replayed")
    assert only(live).quality == only(cached).quality == only(drawn).quality == only(again).quality


def test_a_missing_model_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    with serving(replies) as server:
        outcome = checked(repository(tmp_path, server, judge={}))
    assert (outcome.exit_code, server.calls) == (4, [])
    assert [(problem.path, problem.line) for problem in outcome.problems] == [(GOLDENS, line) for line in (1, 2, 3)]
    assert "judge.embedding_model" in str(outcome.problems[0])
    assert f"({COUNT - 3} more cases have the same problem)" in str(outcome.problems[2])


def test_an_assertion_s_own_model_needs_none_in_the_configuration(tmp_path: Path) -> None:
    with serving(replies) as server:
        outcome = checked(repository(tmp_path, server, rows(model="mine", at_least=0.1), judge={}))
    assert only(outcome).errors == 0
    assert {call.body["model"] for call in server.calls if call.path == "/v1/embeddings"} == {"mine"}


def test_an_endpoint_without_embeddings_is_missing_data_and_never_a_failure(tmp_path: Path) -> None:
    def absent(_: Call) -> Reply:
        return error(404, "no such route")

    with serving(replies, embed=absent) as server:
        outcome = checked(repository(tmp_path, server))
    prompt_view = only(outcome)
    assert (outcome.exit_code, prompt_view.errors, prompt_view.regressions) == (4, 2 * COUNT, [])
    assert "ends where /embeddings follows" in prompt_view.findings[0].text


def test_a_budget_covers_embeddings(tmp_path: Path) -> None:
    prices = {"prices": {"fake-1": {"input_usd": 0, "output_usd": 0}, "embed-1": {"input_usd": 1000, "output_usd": 0}}}
    with serving(replies) as server:
        outcome = checked(repository(tmp_path, server, provider=prices, run={"budget_usd": 0.05}))
    assert outcome.view is not None
    assert outcome.view.spend.usd is not None
    assert 0 < outcome.view.spend.usd <= 0.05
    assert 0 < len(embedded(server)) < 3 * COUNT
