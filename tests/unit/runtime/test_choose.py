"""Who gets the canary: deterministic, monotone in the share, with shares that are exact within sampling error."""

import contextlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import LONGEST_S
from support.runtime_readers import ORDER, VECTORS, Reader, Refused, bundle

from promptci import runtime

VERSION = VECTORS["bundle"]["prompts"][ORDER]["stable"]


def loaded(tmp_path: Path, **shares: int) -> runtime.Bundle:
    prompts = {
        name: {"stable": VERSION, "canary": VERSION, "share": share, "salt": f"{name.partition('_')[0]}@v1"}
        for name, share in shares.items()
    }
    path = tmp_path / "bundle.json"
    path.write_text(bundle(prompts=prompts))
    return runtime.Bundle(str(path), refresh=1e9)


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> runtime.Bundle:
    """The prompt `a` at every share from 0 to 100 %, in 1/100 % where arms begin and end."""
    shares = {f"a_{share}": share for share in (0, 1, 2, *range(100, 9999, 100), 9999, 10_000)}
    return loaded(tmp_path_factory.mktemp("choose"), **shares, b_500=500, b_2500=2500)


NAMES = st.sampled_from([0, 1, 2, *range(100, 9999, 100), 9999, 10_000])


@given(key=st.text(st.characters()), shares=st.tuples(NAMES, NAMES))
def test_a_larger_share_moves_nobody_out_of_the_canary(
    prompts: runtime.Bundle, key: str, shares: tuple[int, int]
) -> None:
    smaller, larger = (prompts.choose(f"a_{share}", key).arm for share in sorted(shares))
    assert (smaller, larger) in {("stable", "stable"), ("stable", "canary"), ("canary", "canary")}
    assert prompts.choose("a_0", key).arm == "stable"
    assert prompts.choose("a_10000", key).arm == ("canary" if key else "stable")


@given(key=st.text(st.characters()), share=NAMES)
def test_the_arm_is_the_formula_and_always_the_same(prompts: runtime.Bundle, key: str, share: int) -> None:
    expected = bool(key) and runtime.point("a@v1", key) * 10_000 < share * 2**32
    arms = {prompts.choose(f"a_{share}", key).arm for _ in range(3)}
    assert arms == {"canary" if expected else "stable"}


@pytest.mark.parametrize("share", [100, 500, 2500, 5000])
def test_shares_are_exact_within_sampling_error(prompts: runtime.Bundle, share: int) -> None:
    n = 20_000
    result = sum(prompts.choose(f"a_{share}", f"account-{number}").arm == "canary" for number in range(n))
    p = share / 10_000
    assert abs(result - n * p) < 5 * math.sqrt(n * p * (1 - p))


def test_two_prompts_do_not_try_on_the_same_users(prompts: runtime.Bundle) -> None:
    keys = [f"account-{number}" for number in range(20_000)]
    both = sum(prompts.choose("a_2500", key).arm == prompts.choose("b_2500", key).arm == "canary" for key in keys)
    assert abs(both / len(keys) - 0.25**2) < 0.01


@given(key=st.integers())
def test_a_number_is_its_digits(prompts: runtime.Bundle, key: int) -> None:
    assert prompts.choose("a_5000", key).arm == prompts.choose("a_5000", str(key)).arm


def test_no_key_never_gets_the_canary(reader: Reader, tmp_path: Path) -> None:
    entry = {"stable": VERSION, "canary": VERSION, "share": 10_000, "salt": "a@v1"}
    path = tmp_path / "bundle.json"
    path.write_text(bundle(prompts={"a": entry}))
    reader.load(str(path))
    assert [reader.choose("a", key)["arm"] for key in (None, "", "x")] == ["stable", "stable", "canary"]


def test_a_name_that_no_bundle_had_is_the_only_refusal(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(bundle())
    reader.load(str(path))
    with pytest.raises(Refused, match="no bundle had the prompt `order-extracter`") as caught:
        reader.choose("order-extracter", "user-1")
    assert caught.value.args[0] == "PromptError"


def test_a_prompt_that_the_code_needs_is_missed_at_the_start(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(bundle())
    with pytest.raises(Refused, match="the bundle lacks refund-writer") as caught:
        reader.load(str(path), needs=[ORDER, "refund-writer"])
    assert caught.value.args[0] == "BundleError"


def test_parameters_are_a_copy(tmp_path: Path) -> None:
    prompts = loaded(tmp_path, a=0)
    prompts.choose("a").parameters["temperature"] = 2
    assert prompts.choose("a").parameters == VERSION["prompt"]["parameters"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(data=st.data(), value=JSON)
def test_a_bundle_that_is_taken_can_be_used_whatever_it_holds(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, value: object
) -> None:
    """One place of a bundle holds anything: then either no bundle is taken, or every prompt can be used."""
    changed = json.loads(bundle())
    inner: Any = changed
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list) or not inner[key] or data.draw(st.booleans()):
            break
        inner = inner[key]
    inner[key] = value
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_text(json.dumps(changed))
    try:
        prompts = runtime.Bundle(str(path), log=tmp_path_factory.getbasetemp() / "log", on_trouble=lambda _: None)
    except runtime.BundleError:
        return
    for name in prompts.content.entries:
        use = prompts.choose(name, "user-2")
        assert isinstance(use.parameters, dict)
        use.record()
        with contextlib.suppress(runtime.PromptError):
            use.messages(input="x")
    assert prompts.requests.dropped == 0


def test_the_file_can_be_copied_into_an_application(tmp_path: Path) -> None:
    """Alone, isolated and without any installed package."""
    (tmp_path / "prompts_runtime.py").write_bytes(Path(runtime.__file__).read_bytes())
    (tmp_path / "b.json").write_text(bundle())
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import prompts_runtime as r; "
        f"b = r.Bundle({str(tmp_path / 'b.json')!r}); u = b.choose('{ORDER}', 'user-2'); "
        "print(u.arm, u.version, b.state)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True, timeout=LONGEST_S
    )
    assert (done.stdout, done.stderr) == ("canary v1.3.0 fresh\n", "")
    assert Path(runtime.__file__).read_text().count("\n") <= 400
