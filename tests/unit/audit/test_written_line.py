"""The pattern of lines that promptci wrote knows what the model knows, and takes nothing that the model refuses."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.audit.chain import AuditLine
from promptci.audit.entry import (
    ZERO_DIGEST,
    Actor,
    Approval,
    AuditedChange,
    AuditEntry,
    AuditTools,
    ChangedFile,
    DeployedShare,
    EvidenceFile,
)
from promptci.audit.log import parse_entry
from promptci.audit.written_line import facts_of, iterate_facts, match_facts
from promptci.errors import InputError

FULL = AuditEntry(
    n=7,
    prev=ZERO_DIGEST,
    at="2026-03-01T14:00:00Z",
    what="rolled-back",
    environment="production",
    prompt="order-extractor",
    from_=DeployedShare(version="v1.3.0", fingerprint="8bff", share=0.05),  # type: ignore[call-arg]
    to=DeployedShare(version="v1.2.0", fingerprint="c8b4", share=100),
    by=Actor(kind="workflow", actor="ann", actor_id=98712, event="schedule", run="https://example.com/runs/1"),
    approved=(Approval(login="bob", id=1, role="medical-review", at="2026-03-01T13:00:00Z", commit="6863"),) * 2,
    why="quality 82.1 % against 96.0 %",
    verdict="fail",
    rules=("newly-failing", "quality"),
    change=AuditedChange(
        pull_request=247,
        commit="6863230",
        author="Zoë <zoe@example.com>",
        proposed_by="zoe",
        at="2026-03-01T12:00:00Z",
        classes=("messages", "model"),
        files=(ChangedFile(path="promptci.yml", before="a" * 64, after="b" * 64),),
    ),
    evidence=(EvidenceFile(name="canary.json", sha256="c" * 64), EvidenceFile(name="report.json", sha256="d" * 64)),
    policy=f"sha256:{'e' * 64}",
    goldens="9a1e",
    tool=AuditTools(promptci="1.0.0", action="6863230"),
)
FIRST = AuditEntry(n=1, prev=ZERO_DIGEST, at="2026-03-01T14:00:00Z", what="log-began", by=FULL.by, tool=FULL.tool)
CHANGE = FIRST.model_copy(update={"change": AuditedChange()})
WRITTEN = [FULL.line(), FIRST.line(), CHANGE.line()]


@pytest.mark.parametrize("content", WRITTEN)
def test_what_promptci_writes_is_recognized(content: bytes) -> None:
    assert match_facts(content) == facts_of(AuditEntry.model_validate_json(content))


@pytest.mark.parametrize("text", ['a "quoted" word', "back\\slash", "line\nfeed", "x" * 2000, "", "🦊" * 1000])
def test_every_text_has_its_facts(text: str) -> None:
    content = FULL.model_copy(update={"why": text, "prompt": text}).line()
    problems: list[str] = []
    facts = list(iterate_facts([AuditLine("a.jsonl", 1, content)], problems))
    assert (facts, problems) == ([facts_of(AuditEntry.model_validate_json(content))], [])


def test_a_line_that_is_no_entry_is_a_problem() -> None:
    problems: list[str] = []
    lines = [FULL.line(), FULL.line().replace(b'"rolled-back"', b'"rolled-forward"'), b"\xff", FIRST.line()]
    facts = list(iterate_facts([AuditLine("a.jsonl", n, line) for n, line in enumerate(lines, start=1)], problems))
    assert [each.n for each in facts] == [7, 1]
    assert ["a.jsonl:2" in problems[0], "a.jsonl:3" in problems[1]] == [True, True]


def test_texts_over_their_limit_and_missing_or_doubled_commas_are_not_recognized() -> None:
    line = FULL.line().decode()
    odd = [
        FULL.model_copy(update={"why": "x" * 2001}).line().decode(),
        *(line.replace(*pair) for pair in ((",", ",,"), ('","', '""'), ("}", ",}"), ("]", ",]"), ('{"', '{,"'))),
        *(line.replace('"share":100.0', f'"share":{share}') for share in ("100.5", "101.0", "-1.0", "05.0", "1.")),
        line.replace('"n":7', '"n":007'),
        line.replace("2026-03-01T14", "2026-13-01T14"),
        line + " x",
    ]
    for text in odd:
        assert text != line
        assert match_facts(text.encode()) is None, text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WRITTEN), st.integers(0, 2**32), st.integers(1, 3))
def test_a_damaged_line_is_recognized_only_if_it_is_an_entry(content: bytes, seed: int, edits: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    damaged = bytearray(content)
    for _ in range(edits):
        at = chance.randrange(len(damaged))
        piece = chance.choice([b"", b",", b'"', b"}", b"]", b"0", b"\\", b"\x00", damaged[at : at + 20]])
        damaged[at : at + chance.choice([0, 1, 20])] = piece
    facts = match_facts(bytes(damaged))
    if facts is None:
        return
    try:
        entry = parse_entry(AuditLine("a.jsonl", 1, bytes(damaged)))
    except InputError as error:
        raise AssertionError(damaged) from error
    assert facts == facts_of(entry)
