"""`promptci selftest` and `promptci power`: over a real repository and a real server."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.openai_server import Call, OpenAIServer
from fakes.repo import RepoBuilder
from support.repositories import (
    GOLDENS,
    GOOD,
    NOW,
    PROMPT,
    checked,
    config,
    goldens,
    make_environment,
    prompt,
    serving,
    shop,
)

from promptci.app.requests import CheckRequest
from promptci.errors import UsageError
from promptci.gates.selftest import selftest_document
from promptci.present.finding_text.remarks import BASE_GOLDENS_DECIDE, GOLDENS_FIRST
from promptci.usecases.trust import power, selftest
from promptci.usecases.trust.power import PowerQuestion
from promptci.usecases.trust.selftest import SelfTestSettings

PRICES = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 2}}}
AGREED = SelfTestSettings(simulations=60, confirm=lambda _: True)


class Unsteady:
    """Copies the number; every fifth case is wrong every other time it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, call: Call) -> str:
        result = re.search(r"GH-(\d+)", call.last_user_message)
        assert result is not None
        self.asked[result[0]] += 1
        return "no idea" if int(result[1]) % 5 == 0 and self.asked[result[0]] % 2 else result[0]


def repository(
    tmp_path: Path, server: OpenAIServer, count: int = 50, *, about: str = "goldens", **options: object
) -> RepoBuilder:
    files = {
        PROMPT: prompt(GOOD),
        GOLDENS: goldens(count, **options),
        "promptci.yml": config(server, provider=PRICES, run={"repeats": 3}, gate={"about": about}),
    }
    return shop(tmp_path, files)


def make_request(builder: RepoBuilder, tmp_path: Path) -> CheckRequest:
    return CheckRequest(root=builder.path, head=".", out=tmp_path / "out")


def test_the_noise_of_a_model_is_measured_and_said(tmp_path: Path) -> None:
    with serving(Unsteady()) as server:
        environment, output = make_environment()
        (self_test,) = selftest.selftest(make_request(repository(tmp_path, server), tmp_path), AGREED, environment)
        assert len(server.calls) == 50 * 6
    assert self_test.discordance == pytest.approx(0.2 * 0.6)  # three of six: 9 of 15 pairs differ
    assert {(flaky.passed, flaky.answers) for flaky in self_test.flaky} == {(3, 6)}
    assert len(self_test.flaky) == 10
    assert self_test.rate <= 0.1
    text = "\n".join(output)
    assert "price: at most $" in text
    assert (
        f"Measured with the goldens of the working tree. In a pull request: {BASE_GOLDENS_DECIDE} {GOLDENS_FIRST}"
        in output
    )
    assert "order: of 60 pull requests that change nothing, dealt out of the answers to 50 cases:" in text
    assert "12% of the cases change their verdict from run to run" in text
    assert "10 cases right at one time and wrong at another: c000 (3 of 6 right)" in text
    written = json.loads((tmp_path / "out" / selftest_document.FILE).read_text())
    assert written["schema"] == "promptci/selftest/v1"
    assert written["prompts"][0]["discordance"] == self_test.discordance
    assert selftest_document.read_discordance(tmp_path / "out" / selftest_document.FILE) == {
        "order": self_test.discordance
    }


def test_a_self_test_keeps_the_last_check_and_the_results_of_other_prompts(tmp_path: Path) -> None:
    other = PROMPT.replace("order", "parcel")
    with serving() as server:
        builder = repository(tmp_path, server, 5)
        builder.write({other: prompt(GOOD), GOLDENS.replace("order", "parcel"): goldens(4)}).commit()
        out = tmp_path / "out"
        out.mkdir()
        kept = {out / name: f"{name} of the last check" for name in ("report.json", "journal.jsonl", "report.html")}
        for path, text in kept.items():
            path.write_text(text)
        for name in ("parcel", "order", "order"):
            selftest.selftest(make_request(builder, tmp_path), replace(AGREED, prompts=(name,)), make_environment()[0])
    assert {path: path.read_text() for path in kept} == kept
    written = json.loads((out / selftest_document.FILE).read_text())
    assert [(row["prompt"], row["cases"]) for row in written["prompts"]] == [("order", 5), ("parcel", 4)]


def test_power_then_knows_the_noise(tmp_path: Path) -> None:
    with serving(Unsteady()) as server:
        builder = repository(tmp_path, server)
        environment, measured = make_environment()
        selftest.selftest(make_request(builder, tmp_path), AGREED, environment)
        asked = len(server.calls)
        document = power.power(make_request(builder, tmp_path), PowerQuestion(), NOW)
        output = list(power.power_lines(document))
        assert len(server.calls) == asked
    (result,) = document.prompts[0].analyses
    assert document.prompts[0].prompt == "order"
    assert result.variance == pytest.approx(0.12)
    assert re.fullmatch(r"order: 50 cases, a check costs at most \$0\.0\d+", output[0])
    smallest = "smallest drop that blocks, with 80% power: 7.8 points"
    assert output[1].strip() == f"measured by selftest: {smallest}"
    assert f"  {smallest}" in measured
    assert re.search(r"to show a drop of 5 points: \d+ cases \(\d+ more\), at most \$0\.0\d+ a check", output[2])
    assert "not worse by 5 points" in output[-1]


def test_power_says_what_has_changed_since_a_selftest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def source() -> str:
        document = power.power(make_request(builder, tmp_path), PowerQuestion(), NOW)
        return list(power.power_lines(document))[1].strip().partition(": smallest")[0]

    with serving(Unsteady()) as server:
        builder = repository(tmp_path, server, 10)
        environment, _ = make_environment()
        selftest.selftest(make_request(builder, tmp_path), AGREED, environment)
        assert source() == "measured by selftest"
        builder.write({PROMPT: prompt(GOOD + " Please.")})
        assert source() == "measured by selftest (stale: the prompt changed since; run it again)"
        builder.write({PROMPT: prompt(GOOD), GOLDENS: goldens(12)})
        assert source() == "measured by selftest (stale: its goldens changed since; run it again)"
        builder.write({GOLDENS: goldens(10), "promptci.yml": config(server, gate={"alpha": 0.01})})
        assert source() == "measured by selftest"  # a gate does not change how the answers vary
        builder.write({"promptci.yml": config(server, judge={"model": "another"})})
        assert source().startswith("measured by selftest (stale: its judge or endpoint changed")
        builder.write({"promptci.yml": config(server, provider=PRICES, run={"repeats": 3}, gate={"about": "goldens"})})
        monkeypatch.setattr("promptci.__version__", "99.0")
        assert source() == "measured by selftest (stale: the version of promptci changed since; run it again)"


@pytest.mark.long
def test_power_knows_the_noise_of_earlier_runs(tmp_path: Path) -> None:
    with serving(Unsteady()) as server:
        builder = repository(tmp_path, server)
        builder.write({PROMPT: prompt(GOOD + " Nothing else.")}).commit()
        for _ in range(2):
            checked(builder, no_cache=True)
        document = power.power(make_request(builder, tmp_path), PowerQuestion(), NOW)
    (result,) = document.prompts[0].analyses
    output = list(power.power_lines(document))
    assert "measured on 600 answers of earlier runs" in output[1]
    assert result.variance == pytest.approx(0.2 * 0.5, abs=0.11)


def test_without_a_measurement_power_shows_several(tmp_path: Path) -> None:
    with serving() as server:
        document = power.power(make_request(repository(tmp_path, server), tmp_path), PowerQuestion(drop=0.3), NOW)
    output = list(power.power_lines(document))
    assert [analysis.variance for analysis in document.prompts[0].analyses] == [0.0, 0.05, 0.10, 0.20]
    assert any("if 5% of the cases change their verdict by themselves" in line for line in output)
    assert not any("30 points are a drop" in line for line in output)


def test_power_takes_a_discordance_and_a_prompt_and_counts_clusters(tmp_path: Path) -> None:
    with serving() as server:
        builder = repository(tmp_path, server, about="inputs", cluster="one")
        question = PowerQuestion(discordance=0.1, prompts=("order",))
        document = power.power(make_request(builder, tmp_path), question, NOW)
        with pytest.raises(UsageError, match=r"there is no prompt `nope`\. There are: order"):
            power.power(make_request(builder, tmp_path), PowerQuestion(prompts=("nope",)), NOW)
    output = list(power.power_lines(document))
    assert document.prompts[0].analyses[0].effective == 1
    assert "worth about 1 independent" in "\n".join(output)
    assert "assumed: 10%" in output[1]


def test_marks_are_shown_by_their_spread(tmp_path: Path) -> None:
    judged = goldens(40, **{"assert": [{"type": "judge"}]})
    with serving() as server:
        judge = {"model": "fake-1", "rubric": "rubric.md"}
        files = {
            PROMPT: prompt(GOOD),
            GOLDENS: judged,
            "rubric.md": "Be kind.",
            "promptci.yml": config(server, judge=judge, run={"repeats": 3}),
        }
        environment, output = make_environment()
        document = power.power(make_request(shop(tmp_path, files), tmp_path), PowerQuestion(), NOW)
        selftest.selftest(
            replace(make_request(RepoBuilder(tmp_path / "shop"), tmp_path), dry_run=True), AGREED, environment
        )
    lines = list(power.power_lines(document))
    assert len(document.prompts[0].analyses) == 3
    assert "if scores differ by 10 points from run to run" in "\n".join(lines)
    assert "judges: 240 calls, price unknown, and 12 probes for each judge" in output
    assert "the price of a check is unknown" in lines[0]


def test_the_price_comes_first_and_nothing_is_asked_without_a_yes(tmp_path: Path) -> None:
    with serving() as server:
        environment, output = make_environment()
        with pytest.raises(UsageError, match=r"nothing was asked\. Agree to the price, or pass --yes"):
            selftest.selftest(make_request(repository(tmp_path, server), tmp_path), SelfTestSettings(), environment)
        assert "calls: 300" in "\n".join(output)
        assert "price: at most $" in "\n".join(output)
        dry = replace(make_request(RepoBuilder(tmp_path / "shop"), tmp_path), dry_run=True)
        assert selftest.selftest(dry, AGREED, environment) == ()
        assert server.calls == []


def test_too_few_answers_are_refused(tmp_path: Path) -> None:
    with serving() as server, pytest.raises(UsageError, match="--answers must be at least 6"):
        selftest.selftest(
            make_request(repository(tmp_path, server), tmp_path), SelfTestSettings(answers=4), make_environment()[0]
        )


def test_more_answers_may_be_asked_for(tmp_path: Path) -> None:
    with serving() as server:
        selftest.selftest(
            make_request(repository(tmp_path, server, 5), tmp_path), replace(AGREED, answers=8), make_environment()[0]
        )
        assert len(server.calls) == 40


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema": "other"}',
        '{"schema": "promptci/selftest/v1"}',
        '{"schema": "promptci/selftest/v1", "prompts": [{"prompt": "p"}]}',
    ],
)
def test_a_damaged_selftest_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "selftest.json").write_text(content)
    assert selftest_document.read_discordance(tmp_path / "selftest.json") == {}
    assert selftest_document.read_discordance(tmp_path / "none.json") == {}
