"""Other versions are written into a deployment file, and everything else stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.rollout import deployment
from promptci.rollout.deployment import Deployed
from promptci.rollout.deployments.edit import with_deployed

FILE = """\
# Who gets what.
version: 1
prompts:
  # the shop's oldest
  order:
    stable: v1   # since March
    canary:
      version: v2   # two example turns fewer
      share: 5   # percent

  router:
    stable: v1
# steps of all
steps: [5, 50, 100]
"""


def changed(deployed: Deployed, text: str = FILE) -> str:
    return with_deployed(text.encode(), "deployments/production.yml", deployed).decode()


def test_a_stable_version_is_replaced_in_place() -> None:
    expected = Deployed(prompt="router", stable="v9")
    assert changed(expected) == FILE.replace("router:\n    stable: v1", "router:\n    stable: v9")


def test_a_canary_becomes_stable() -> None:
    removed = "    canary:\n      version: v2   # two example turns fewer\n      share: 5   # percent\n"
    expected = Deployed(prompt="order", stable="v2")
    assert changed(expected) == FILE.replace("stable: v1   #", "stable: v2   #").replace(removed, "")


def test_another_canary_keeps_the_comments() -> None:
    expected = Deployed(prompt="order", stable="v1", canary="prompts/order/v3.0.0", share=12.5)
    assert changed(expected) == FILE.replace("version: v2", "version: prompts/order/v3.0.0").replace(
        "5   #", "12.5   #"
    )


def test_a_canary_is_added() -> None:
    expected = Deployed(prompt="router", stable="v1", canary="v2", share=5)
    added = "router:\n    stable: v1\n    canary:\n      version: v2\n      share: 5\n"
    assert changed(expected) == FILE.replace("router:\n    stable: v1\n", added)


def test_a_canary_that_was_null_is_written() -> None:
    text = "prompts:\n  order:\n    canary: null  # nothing is tried\n    stable: v1\n"
    new = changed(Deployed(prompt="order", stable="v1", canary="v2", share=5), text)
    assert new == "prompts:\n  order:\n    canary:\n      version: v2\n      share: 5\n    stable: v1\n"
    assert changed(Deployed(prompt="order", stable="v2"), text) == "prompts:\n  order:\n    stable: v2\n"


def test_a_key_of_its_own_shape_is_not_guessed_at() -> None:
    text = "prompts:\n  order:\n    stable:\n      v1\n"
    with pytest.raises(InputError, match="cannot be changed in place"):
        changed(Deployed(prompt="order", stable="v2"), text)


def test_a_prompt_is_added_at_the_end() -> None:
    expected = Deployed(prompt="refund: writer", stable="v1")
    added = 'router:\n    stable: v1\n  "refund: writer":\n    stable: v1\n'
    assert changed(expected) == FILE.replace("router:\n    stable: v1\n", added)


@pytest.mark.parametrize(
    "text", ["prompts: {}\n", "prompts: {}  # nothing yet\nsteps: [5, 100]\n", "version: 1\n'prompts' :  { }\n"]
)
def test_the_first_prompt_of_an_empty_map_is_added(text: str) -> None:
    new = changed(Deployed(prompt="order", stable="v1"), text)
    before, _, after = text.partition("{")
    comment, end, rest = after.partition("}")[2].partition("\n")
    assert new == f"{before.rstrip()}{comment}{end}  order:\n    stable: v1\n{rest}"


def test_windows_line_ends_and_the_mark_at_the_start_stay() -> None:
    expected = Deployed(prompt="refund", stable="v1", canary="v2", share=5)
    for start, end in ((b"", b"\r\n"), (b"\xef\xbb\xbf", b"\n"), (b"\xef\xbb\xbf", b"\r\n")):
        data = start + FILE.encode().replace(b"\n", end)
        new = with_deployed(data, "x.yml", expected)
        assert new == start + changed(expected).encode().replace(b"\n", end)


def test_a_file_is_made() -> None:
    new = with_deployed(None, "x.yml", Deployed(prompt="order", stable="v1"))
    assert new.decode() == "prompts:\n  order:\n    stable: v1\n"


@pytest.mark.parametrize(
    "text",
    ["prompts: {order: {stable: v1}}\n", "prompts:\n  order: {stable: v1}\n", "prompts: {other: {stable: v1}}\n"],
)
def test_what_cannot_be_changed_in_place_is_shown(text: str) -> None:
    with pytest.raises(
        InputError, match=r"x.yml:\d: this cannot be changed in place. Write it by hand: `order: stable: v2`"
    ):
        with_deployed(text.encode(), "x.yml", Deployed(prompt="order", stable="v2"))


NAMES = st.sampled_from(["order", "router", "a b", "null", "1.0", "größe", "team/x", "#x", "- y", "yes: no"])
VERSIONS = st.sampled_from(["v1", "v2", "prompts/order/v1.2.0", "1e5", "true", "a: b", "x #y", "'q'"])
DEPLOYED = st.builds(
    lambda prompt, stable, canary, share: Deployed(
        prompt=prompt, stable=stable, canary=canary, share=share if canary else 0.0
    ),
    NAMES,
    VERSIONS,
    st.none() | VERSIONS,
    st.sampled_from([0.0, 5.0, 12.5, 100.0]),
).filter(lambda item: item.stable != item.canary)


@given(steps=st.lists(DEPLOYED, min_size=1, max_size=8))
def test_any_sequence_of_deployments_ends_with_what_was_wanted_last(steps: list[Deployed]) -> None:
    data, expected = FILE.encode(), {prompt.prompt: prompt for prompt in deployment.load(FILE.encode(), "x").prompts}
    for step in steps:
        data = with_deployed(data, "x.yml", step)
        expected[step.prompt] = step
    assert {prompt.prompt: prompt for prompt in deployment.load(data, "x").prompts} == expected
    assert [
        line for line in ("# Who gets what.", "  # the shop's oldest", "# steps of all") if line not in data.decode()
    ] == []
