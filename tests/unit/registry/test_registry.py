"""Numbers, tag messages and what a change of a prompt suggests."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from fakes.repo import ENVIRON
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from promptci.errors import InputError, UsageError
from promptci.prompts.model import Message, Prompt
from promptci.registry.bump import compare_prompts, diff_messages
from promptci.registry.bundle_document import BundleDocument
from promptci.registry.number import BUMPS, Bump, ReleaseNumber
from promptci.registry.tag_message import TagMessage, parse_trailers
from promptci.registry.tags import split_name

PAGE = Path(__file__).parents[3] / "docs" / "bundle.md"
PARTS = st.integers(0, 10**6)
NUMBERS = st.builds(ReleaseNumber, PARTS, PARTS, PARTS)


@given(number=NUMBERS, other=NUMBERS, bump=st.sampled_from(BUMPS))
def test_numbers_are_read_back_ordered_and_rise(number: ReleaseNumber, other: ReleaseNumber, bump: Bump) -> None:
    assert ReleaseNumber.parse(str(number)) == number
    assert number.next(bump) > number
    tuples = [(each.major, each.minor, each.patch) for each in (number, other)]
    assert (number < other) == (tuples[0] < tuples[1])


@pytest.mark.parametrize("text", ["", "v1", "v1.2", "v1.2.3.4", "v01.2.3", "v1.2.3-rc.1", "V1.2.3", "main", "v1.2.٣"])
def test_what_is_no_number(text: str) -> None:
    assert ReleaseNumber.find(text) is None
    with pytest.raises(UsageError, match="is not a version"):
        ReleaseNumber.parse(text)


@pytest.mark.parametrize("text", ["order", "@v1.0.0", "order v1.0.0", ""])
def test_what_names_no_version(text: str) -> None:
    with pytest.raises(UsageError, match="does not name a version"):
        split_name(text)


def test_a_prompt_s_name_may_hold_an_at() -> None:
    assert split_name("team@shop/order@v1.0.0") == ("team@shop/order", "v1.0.0")


@given(values=st.dictionaries(st.sampled_from(["Reason", "Approved-by", "Pull-request"]), st.text(), min_size=1))
def test_no_text_poses_as_another_trailer(values: dict[str, str]) -> None:
    message = str(TagMessage(subject="order v1.0.0", trailers={"Fingerprint": "8bff", **values}))
    result = parse_trailers(message)
    assert result["Fingerprint"] == "8bff"
    assert result.keys() <= {"Fingerprint", *values}


def test_git_reads_the_trailers_too() -> None:
    trailers = {"Fingerprint": "8bff", "Empty": " ", "Reason": "first line\nApproved-by: nobody"}
    message = str(TagMessage(subject="order v1.0.0: it is\nbetter", trailers=trailers))
    command = ["git", "interpret-trailers", "--parse"]
    done = subprocess.run(command, input=message, env=ENVIRON, capture_output=True, text=True, check=True)
    assert done.stdout == "Fingerprint: 8bff\nReason: first line Approved-by: nobody\n"
    assert message.splitlines()[0] == "order v1.0.0: it is better"


def prompt(**changes: object) -> Prompt:
    values: dict[str, object] = {
        "model": "gpt-4o-mini",
        "parameters": {"temperature": 0},
        "messages": (Message(role="user", content="Copy {{input}}"),),
        **changes,
    }
    return Prompt(name="order", path="x", **values)  # type: ignore[arg-type]  # as each test says


@pytest.mark.parametrize(
    ("after", "bump", "facts"),
    [
        (prompt(), "patch", ()),
        (prompt(description="for the shop"), "patch", ()),
        (prompt(model="gpt-5"), "major", ("model: gpt-4o-mini → gpt-5",)),
        (
            prompt(messages=(Message(role="user", content="Copy {{order}}"),)),
            "major",
            ("variable: -input", "variable: +order", "messages: 1 of 1 changed"),
        ),
        (prompt(messages=(Message(role="user", content="Take {{input}}"),)), "minor", ("messages: 1 of 1 changed",)),
        (prompt(parameters={"temperature": 1}), "minor", ("temperature: 0 → 1",)),
        (prompt(parameters={}), "minor", ("temperature: 0 → not set",)),
        (prompt(response_format="json_object"), "minor", ("response format: text → json_object",)),
    ],
)
def test_what_changed_suggests_a_number(after: Prompt, bump: str, facts: tuple[str, ...]) -> None:
    comparison = compare_prompts(prompt(), after)
    assert (comparison.bump, comparison.facts) == (bump, facts)
    assert bool(comparison.parts) == (prompt().fingerprint != after.fingerprint)


def test_the_words_that_changed_are_shown() -> None:
    after = prompt(messages=(Message(role="user", content="Take {{input}}"),))
    assert diff_messages(prompt(), after) == ["@@ -1,3 +1,3 @@", " [user]", "-Copy {{input}}", "+Take {{input}}", " "]


def test_the_package_knows_nothing_of_decisions() -> None:
    folder = Path(__file__).parents[3] / "promptci" / "registry"
    assert not [path.name for path in folder.glob("*.py") if "promptci.rollout" in path.read_text()]


BUNDLE = json.loads(re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0])


def test_the_bundle_of_the_page_is_whole_and_matches_its_schema() -> None:
    bundle = BundleDocument.parse(json.dumps(BUNDLE), "bundle.json")
    assert json.loads(bundle.dump()) == BUNDLE
    Draft202012Validator(BundleDocument.json_schema()).validate(BUNDLE)


def test_content_that_is_not_that_of_the_fingerprint_is_refused_with_its_line() -> None:
    text = json.dumps(BUNDLE, indent=2).replace("Copy the order number.", "Say anything.")
    with pytest.raises(InputError) as caught:
        BundleDocument.parse(text, "bundle.json")
    assert caught.value.problems[0].line == 10
    assert "the content of v1.2.0 does not match its fingerprint" in str(caught.value)
