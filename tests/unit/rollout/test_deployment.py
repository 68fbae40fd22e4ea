"""Deployment files: every mistake at once, the share changed in place; and the state beside them."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import ConfigError, InputError
from promptci.files import strict_yaml
from promptci.rollout import deployment, schema, state
from promptci.rollout.deployment import Deployed
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress

PATH = "deployments/production.yml"
FILE = """\
# What runs where. Ann keeps this.
version: 1
prompts:
  order:
    stable: prompts/order/v1.2.0   # since February
    canary:
      version: prompts/order/v1.3.0
      share: 5   # percent
  "reply: share":
    stable: abc1234
    canary: {version: def5678, "share": 25}
  router:
    stable: abc1234
policy:
  min_time: 12h
  max_complaint_rise: 0.02
  max_cost_increase: null
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        deployment.load(text.encode(), PATH)
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_a_file_is_read_with_its_defaults() -> None:
    parsed = deployment.load(FILE.encode(), PATH)
    assert parsed.prompts == (
        Deployed(prompt="order", stable="prompts/order/v1.2.0", canary="prompts/order/v1.3.0", share=5),
        Deployed(prompt="reply: share", stable="abc1234", canary="def5678", share=25),
        Deployed(prompt="router", stable="abc1234"),
    )
    limits = (("quality", 0.02), ("errors", 0.01), ("latency", 0.05), ("signals", 0.02))
    assert parsed.policy == CanaryPolicy(min_time_s=12 * 3600, limits=limits)


def test_the_defaults_of_the_file_are_those_of_the_policy() -> None:
    assert deployment.load(b"prompts: {}", PATH).policy == CanaryPolicy()


def test_alpha_is_spent_over_metrics_and_the_steps_that_compare() -> None:
    assert CanaryPolicy().alpha_each == pytest.approx(0.01 / (4 * 3))
    assert CanaryPolicy(steps=(10, 100), limits=(("quality", 0.1),), alpha=0.05).alpha_each == 0.05
    assert [CanaryPolicy().next_step(share) for share in (5, 7, 25, 50)] == [25, 25, 50, 100]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"{PATH}:1: the file is not a map of sections"),
        ("- a", f"{PATH}:1: the file is not a map of sections"),
        ("version: 1", "`prompts` is missing"),
        ("prompts: {a: {stable: v1, canray: {}}}", "unknown key `prompts.a.canray`. Did you mean `canary`?"),
        ("prompts:\n  stable:\n    stable: v1\n    x: 1", f"{PATH}:4: unknown key `prompts.stable.x`. Known keys here"),
        ("prompts: {a: {stable: v1, canary: {version: v2}}}", "`prompts.a.canary.share` is missing"),
        ("prompts: {a: {stable: v1, canary: {version: v2, share: 5, shar: 5}}}", "Did you mean `share`?"),
        ("prompts: {a: {stable: v1, canary: {version: v2, share: 101}}}", "`prompts.a.canary.share` is 101"),
        ("prompts: {a: {stable: v1, canary: {version: v2, share: 0.001}}}", "the smallest share is 0.01"),
        ("prompts: {}\nsteps: [0.001, 100]", "more than two decimals"),
        (
            "prompts: {a: {stable: v1, canary: {version: v1, share: 5}}}",
            "stable and canary of `a` are the same version",
        ),
        ("prompts: {a: {stable: 1.10}}", "`prompts.a.stable` is 1.1, which cannot be used: a valid string"),
        ("prompts: {}\npolicy: {min_tim: 1h}", f"{PATH}:2: unknown key `policy.min_tim`. Did you mean `min_time`?"),
        (
            "prompts: {}\npolicy: {min_time: soon}",
            "`policy.min_time` is 'soon', which cannot be used: is not a duration",
        ),
        ("prompts: {}\npolicy: {min_time: 3d, max_time: 2d}", "`policy` cannot be used: `max_time` must be longer"),
        ("prompts: {}\nsteps: [5, 5, 100]", "`the file` cannot be used: `steps` must rise from above 0 to 100"),
        ("prompts: {}\nsteps: [5, 50]", "`steps` must rise"),
        ("prompts: {}\nsteps: [0, 100]", "`steps` must rise"),
        ("prompts: &a {}", "anchor `&a` is refused"),
        ("prompts: !!python/object:os.system {}", "is refused"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, message: str) -> None:
    assert any(message in problem for problem in problems(text))


def test_all_mistakes_are_named_at_once() -> None:
    assert len(problems("prompts: {a: {}}\npolicy: {alpha: 1, unit: people}\nvresion: 1")) == 4


def test_a_new_share_changes_its_number_and_no_other_byte() -> None:
    changed = deployment.with_share(FILE.encode(), PATH, "order", 25)
    assert changed == FILE.replace("share: 5   #", "share: 25   #").encode()
    changed = deployment.with_share(FILE.encode(), PATH, "reply: share", 0)
    assert changed == FILE.replace('"share": 25}', '"share": 0}').encode()


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@given(share=st.sampled_from([0.0, 2.5, 25.0, 100.0]), start=st.sampled_from(["5", "5.0", "12.5", "+5", "0"]))
def test_a_changed_file_says_what_was_meant(ends: str, share: float, start: str) -> None:
    data = ("\ufeff" + FILE.replace("share: 5 ", f"share: {start} ")).replace("\n", ends).encode()
    parsed = deployment.load(deployment.with_share(data, PATH, "order", share), PATH)
    assert [prompt.share for prompt in parsed.prompts] == [share, 25, 0]


@pytest.mark.parametrize(
    "canary", ["canary:\n      version: v2\n      share:\n        5", "canary: {version: 'share: 5 x', share: 5}"]
)
def test_a_share_that_cannot_be_changed_in_place_is_left_alone(canary: str) -> None:
    text = f"prompts:\n  order:\n    stable: v1\n    {canary}\n"
    with pytest.raises(InputError, match=r"share cannot be changed in place\. Write `share: 5` on a line of its own"):
        deployment.with_share(text.encode(), PATH, "order", 25)


def test_the_schema_takes_what_the_code_takes() -> None:
    check = jsonschema.Draft202012Validator(schema.json_schema())
    check.check_schema(schema.json_schema())
    value = strict_yaml.load(FILE, PATH).value
    assert list(check.iter_errors(value)) == []
    value["policy"]["min_time"] = 60
    assert list(check.iter_errors(value)) == []
    value["prompts"]["order"]["canray"] = 1
    assert len(list(check.iter_errors(value))) == 1


STANDING = CanaryProgress(stable="v1", canary="v2", share=5, since=datetime(2026, 3, 2, tzinfo=UTC))


def test_the_state_is_read_as_it_was_written() -> None:
    back = CanaryProgress(
        stable="a",
        canary="b",
        share=0,
        since=STANDING.since,
        paused=True,
        rolled_back=datetime(2026, 3, 3, tzinfo=UTC),
        rollback_reason="“x”",
    )
    standings = {"order": STANDING, "reply": back}
    assert state.load_progress(state.dump_progress(standings).encode(), "x") == standings
    assert state.load_progress(None, "x") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ('{"schema": "promptci/canary-state/v1"}', "`prompts`: Field required"),
        ('{"schema": "promptci/canary-state/v2", "prompts": {}}', "expected `promptci/canary-state/v1`"),
        ('{"schema": "promptci/canary-state/v1", "prompts": {}, "x": 1}', "`x`: Extra inputs"),
        (state.dump_progress({"a": STANDING}).replace(":00Z", ":00"), "json:8: `prompts.a.since`"),
        (state.dump_progress({"a": STANDING}).replace(": 5.0,", ": 500,"), "json:7: `prompts.a.share`"),
    ],
)
def test_a_state_that_is_not_ours_is_refused(text: str, message: str) -> None:
    """What cannot be read must not start a canary that was rolled back again."""
    with pytest.raises(InputError) as caught:
        state.load_progress(text.encode(), "deployments/production.canary.json")
    assert message in str(caught.value)


def test_a_state_in_another_zone_is_in_utc() -> None:
    text = state.dump_progress({"a": STANDING}).replace("00:00:00Z", "02:00:00+02:00")
    assert json.loads(text)["prompts"]["a"]["since"] == "2026-03-02T02:00:00+02:00"
    assert state.load_progress(text.encode(), "x") == {"a": STANDING}
