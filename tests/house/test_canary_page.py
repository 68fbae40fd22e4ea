"""What docs/canary.md says is what the code does: its file, its recipe, its log, its workflows."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from promptci.cli import canary as cli
from promptci.requestlog import line
from promptci.requestlog.aliases import ALIASES
from promptci.requestlog.model import Observation
from promptci.rollout import deployment
from promptci.rollout.canary import CanaryOutcome
from promptci.rollout.deployment import Deployed
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.schema import DeploymentFile, PolicySection
from promptci.runtime import point

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "canary.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "example-repo" / "deployments" / "production.yml"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def recipe() -> Callable[[str, str, float], str]:
    (code,) = blocks("python")
    names: dict[str, Callable[[str, str, float], str]] = {}
    exec(code, names)  # noqa: S102 - the page's own lines
    return names["arm"]


ARM = recipe()
SHARES = st.floats(0, 100)


@given(version=st.text(), user=st.text(min_size=1), shares=st.tuples(SHARES, SHARES))
def test_a_larger_share_moves_nobody_out_of_the_canary(version: str, user: str, shares: tuple[float, float]) -> None:
    smaller, larger = sorted(shares)
    if ARM(version, user, smaller) == "canary":
        assert ARM(version, user, larger) == "canary"
    assert (ARM(version, user, 0), ARM(version, user, 100)) == ("stable", "canary")


def test_the_share_of_users_is_the_share_and_the_next_canary_has_others() -> None:
    users = [f"user-{number}" for number in range(20_000)]
    for share in (5, 25, 50):
        chosen = sum(ARM("v2", user, share) == "canary" for user in users)
        assert abs(chosen / len(users) - share / 100) < 0.01
    salt, bounds = "order-extractor@v1.3.0", [500, 2500, 5000]
    for user in users[:500]:
        chosen_shares = [share for share in bounds if ARM(salt, user, share / 100) == "canary"]
        assert chosen_shares == [share for share in bounds if point(salt, user) * 10_000 < share << 32]
    both = sum(ARM("v2", user, 25) == ARM("v3", user, 25) == "canary" for user in users)
    assert abs(both / len(users) - 0.25**2) < 0.01


def test_the_deployment_file_of_the_page_and_the_example_s_are_read() -> None:
    shown = deployment.load(blocks("yaml")[0].encode(), "docs/canary.md")
    assert shown.policy == CanaryPolicy()
    assert shown.prompts[0].canary == "prompts/order-extractor/v1.3.0"
    prompts = {prompt.prompt for prompt in deployment.load(EXAMPLE.read_bytes(), str(EXAMPLE)).prompts}
    assert prompts <= {path.name.partition(".")[0] for path in (ROOT / "example-repo" / "prompts").iterdir()}


def test_the_example_s_canary_can_be_promoted_in_place() -> None:
    data = EXAMPLE.read_bytes()
    (tried,) = [deployed for deployed in deployment.load(data, "x").prompts if deployed.canary]
    changed = deployment.load(deployment.with_share(data, "x", tried.prompt, 25), "x")
    assert Deployed(prompt=tried.prompt, stable=tried.stable, canary=tried.canary, share=25) in changed.prompts


def test_every_key_is_described_with_its_default() -> None:
    rows = re.findall(r"(?m)^\| (`.*?`) \| (`.*?`) \|", PAGE)
    defaults = {name.removeprefix("policy."): cell for names, cell in rows for name in re.findall(r"`(.*?)`", names)}
    assert PolicySection.model_fields.keys() | {"steps"} <= defaults.keys()
    assert defaults["steps"] == f"`{DeploymentFile.model_fields['steps'].default}`"
    for name in PolicySection.model_fields.keys() - {"min_time", "max_time", "lag", "stale"}:
        default = PolicySection.model_fields[name].default
        assert defaults[name] == f"`{'null' if default is None else default}`", name
    times = PolicySection(min_time="24h", max_time="14d", lag="10m", stale="2h")  # type: ignore[arg-type]  # as in YAML
    assert times == PolicySection()
    assert (defaults["min_time"], defaults["lag"], defaults["stale"]) == ("`24h`, `14d`", "`10m`", "`2h`")


def test_the_line_of_the_page_is_read_and_every_attribute_is_described() -> None:
    (text,) = blocks("json")
    observation = line.parse_line(text)
    assert isinstance(observation, Observation)
    assert (observation.arm, observation.share, observation.quality, observation.output_tokens) == ("canary", 5, 1, 41)
    attributes = {alias.name for aliases in ALIASES.values() for alias in aliases}
    assert [name for name in attributes if f"`{name}`" not in PAGE] == []
    assert json.loads(text).keys() <= attributes


def test_every_outcome_is_described() -> None:
    assert [outcome for outcome in CanaryOutcome if f"| `{outcome}` |" not in PAGE] == []


def test_the_workflows_call_the_command_as_it_is_and_state_their_rights() -> None:
    options = {name for parameter in cli.command.params for name in parameter.opts}
    workflows = [yaml.safe_load(text) for text in blocks("yaml") if "\njobs:" in text]
    assert len(workflows) == 2
    for workflow in workflows:
        (job,) = workflow["jobs"].values()
        (look,) = [step["run"] for step in job["steps"] if step.get("id") == "look"]
        assert set(re.findall(r"--\w+", look)) <= options
        assert workflow["permissions"] == {}
        assert job["concurrency"]["cancel-in-progress"] is False
        assert set(workflow[True]) == {"schedule", "workflow_dispatch"}  # YAML takes the key `on` for true
