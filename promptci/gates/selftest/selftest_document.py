"""selftest.json: what a self-test measured, for `promptci power` and for other programs."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.errors import InputError
from promptci.gates.selftest import subject
from promptci.gates.selftest.aa_test import SelfTest

FILE = Path("selftest") / "selftest.json"
"""Below the output folder, apart from the files of the last check."""


class FlakyCaseRow(BaseModel):
    """A case that passed at one time and failed at another."""

    id: str
    passed: int
    answers: int


class SelfTestRow(BaseModel):
    """The self-test of one prompt."""

    prompt: str
    cases: int
    left_out: int
    simulations: int
    blocked: int
    inconclusive: int
    false_alarm_rate: float
    interval: tuple[float, float]
    """95 % interval of the false-alarm rate."""
    alpha: float
    discordance: float | None
    spread: float | None
    detectable_drop: float | None
    flaky: list[FlakyCaseRow]
    measured_on: dict[str, str] = {}
    """Digests of prompt, goldens and configuration, and the version of promptci; empty: not known."""


class SelfTestDocument(Document):
    """selftest.json."""

    schema_: Literal["promptci/selftest/v1"] = Field(default="promptci/selftest/v1", alias="schema")
    prompts: list[SelfTestRow]


def merge_into(path: Path, tests: Sequence[SelfTest], subjects: Mapping[str, dict[str, str]]) -> SelfTestDocument:
    """Return selftest.json with these results, and the earlier results in `path` of all other prompts.

    `subjects` is what each prompt's result was measured on.
    """
    document = SelfTestDocument(prompts=[_row(test, subjects.get(test.prompt, {})) for test in tests])
    measured = {row.prompt for row in document.prompts}
    try:
        earlier = SelfTestDocument.load(path).prompts
    except InputError:
        earlier = []
    rows = [*(row for row in earlier if row.prompt not in measured), *document.prompts]
    return document.model_copy(update={"prompts": sorted(rows, key=lambda row: row.prompt)})


def load_results(path: Path, tests: Sequence[SelfTest]) -> SelfTestDocument:
    """Return these results alone out of a selftest.json; an empty document where there are none."""
    prompts = {test.prompt for test in tests}
    rows = SelfTestDocument.load(path).prompts if tests else []
    return SelfTestDocument(prompts=[row for row in rows if row.prompt in prompts])


def _row(test: SelfTest, measured_on: dict[str, str]) -> SelfTestRow:
    return SelfTestRow(
        prompt=test.prompt,
        cases=test.cases,
        left_out=test.left_out,
        simulations=test.simulations,
        blocked=test.blocked,
        inconclusive=test.undecided,
        false_alarm_rate=test.rate,
        interval=(test.interval.lo, test.interval.hi),
        alpha=test.alpha,
        discordance=test.discordance,
        spread=test.spread,
        detectable_drop=test.detectable_drop,
        flaky=[FlakyCaseRow(id=case.id, passed=case.passed, answers=case.answers) for case in test.flaky],
        measured_on=measured_on,
    )


def read_discordance(path: Path) -> dict[str, float]:
    """Return each prompt's discordance (of scores: variance) from a selftest.json; empty if there is none."""
    try:
        rows = SelfTestDocument.load(path).prompts
    except InputError:
        return {}
    return {
        row.prompt: row.spread**2 if row.discordance is None and row.spread is not None else row.discordance or 0.0
        for row in rows
        if row.discordance is not None or row.spread is not None
    }


def find_stale_results(
    path: Path, subjects: Mapping[str, Mapping[str, str]], parts: Collection[str] = frozenset(subject.PARTS)
) -> dict[str, list[str]]:
    """Return what has changed since the self-test of each prompt whose result no longer fits.

    `parts` are those that the result depends on; by default all of them.
    """
    try:
        rows = SelfTestDocument.load(path).prompts
    except InputError:
        return {}
    changed = {
        row.prompt: subject.find_changed_parts(row.measured_on, subjects[row.prompt], parts)
        for row in rows
        if row.prompt in subjects
    }
    return {prompt: parts for prompt, parts in changed.items() if parts}
