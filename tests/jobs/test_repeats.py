"""Adaptive repeats: a case is asked again only where the first answers of the versions disagree."""

import re
from collections import Counter
from pathlib import Path

from fakes.openai_server import Call, Reply, error
from shop import BAD, GOLDENS, GOOD, PROMPT, checked, config, goldens, prompt, serving, shop, world

from promptci.jobs import check
from promptci.jobs.world import Errand

TWICE = {"repeats": {"first": 1, "disagree": 3}}
FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}


class Moody:
    """Copies the number, but the chatty version gets odd numbers wrong the first time only."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()

    def __call__(self, call: Call) -> str:
        found = re.search(r"GH-(\d+)", call.last_user_message)
        assert found is not None
        system = call.body["messages"][0]["content"]
        self.asked[(system, found[0])] += 1
        wrong = system == BAD and int(found[1]) % 2 and self.asked[(system, found[0])] == 1
        return "no idea" if wrong else found[0]


def test_only_cases_that_disagree_are_asked_again(tmp_path: Path) -> None:
    moody = Moody()
    with serving(moody) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    (found,) = outcome.view.prompts
    odd = {f"c{i:03}" for i in range(1, 60, 2)}
    assert len(server.calls) == 120 + 30 * 4
    assert {number for (_, number), times in moody.asked.items() if times == 3} == {
        f"GH-{i}" for i in range(1001, 1060, 2)
    }
    assert set(found.regressions) == odd
    assert {case.head_pass_rate for case in found.case_details if case.id in odd} == {2 / 3}
    assert {case.head_pass_rate for case in found.case_details if case.id not in odd} == {1.0}
    (note,) = outcome.view.notes
    assert "30 of 60, 120 answers in place of the 240" in note


def test_versions_that_agree_are_asked_once(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
        outcome = checked(builder)
    assert (outcome.exit_code, len(server.calls)) == (0, 120)


def test_a_second_run_answers_the_repeats_from_the_cache(tmp_path: Path) -> None:
    with serving(Moody()) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        first = checked(builder)
        asked = len(server.calls)
        second = checked(builder, out=tmp_path / "again")
        assert len(server.calls) == asked
    assert first.view is not None
    assert second.view is not None
    assert [p.quality for p in first.view.prompts] == [p.quality for p in second.view.prompts]


def test_a_case_with_a_missing_answer_is_not_asked_again(tmp_path: Path) -> None:
    """That the versions differ may be due to what is missing."""
    moody = Moody()

    def failing(call: Call) -> Reply | str:
        of_base = call.body["messages"][0]["content"] == GOOD
        return error(400, "no") if of_base and "GH-1001" in call.last_user_message else moody(call)

    with serving(failing) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        checked(builder)
    assert moody.asked[(BAD, "GH-1001")] == 1
    assert moody.asked[(BAD, "GH-1003")] == 3


def test_new_and_changed_cases_are_not_asked_again(tmp_path: Path) -> None:
    moody = Moody()
    with serving(moody) as server:
        builder = shop(tmp_path, {**FILES, GOLDENS: goldens(30), "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD), GOLDENS: goldens(60)}).commit()
        checked(builder)
    assert moody.asked[(BAD, "GH-1029")] == 3
    assert moody.asked[(BAD, "GH-1031")] == 1


def test_the_price_of_repeats_is_said_beforehand(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        told, said = world()
        check.check(Errand(root=builder.path, out=tmp_path / "out", dry_run=True), told)
    assert "where the versions disagree, up to 3 times: 240 calls more at most, price unknown" in said
