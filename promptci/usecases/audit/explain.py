"""Explain one version: its story in plain sentences, each with the entries that show it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.evaluation.auditing.material import AuditMaterial
from promptci.evaluation.auditing.telling import ToldSentence, tell_story
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.number import ReleaseNumber


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditExplainRequest:
    """Which version."""

    root: Path
    config_path: str
    name: str
    """`order-extractor@v1.3.0`."""
    remote: str = "origin"
    evidence: Path | None = None


class ExplainedSentence(BaseModel):
    """A sentence and what shows it."""

    text: str
    entries: list[int] = Field(description="Numbers of the audit log's entries.")
    evidence: list[str] = Field(description="Tags, commits and digests.")


class AuditExplanation(Document):
    """The story of one version."""

    schema_: Literal["promptci/audit-explanation/v1"] = Field(default="promptci/audit-explanation/v1", alias="schema")
    prompt: str
    version: str
    outcome: str
    sentences: list[ExplainedSentence]


def explain(request: AuditExplainRequest) -> AuditExplanation:
    """Return the story of a version.

    Raises
    ------
    UsageError
        Where there is no log, or it does not know the version.
    """
    prompt, version = tags.split_name(request.name)
    number = ReleaseNumber.find(version)
    sought = str(number) if number else version
    material = AuditMaterial(request.root, request.remote, request.config_path, request.evidence)
    stories = [story for story in material.stories if story.prompt == prompt]
    story = next((story for story in stories if story.version == sought), None)
    if story is None:
        known = ", ".join(story.version for story in stories[-10:])
        listed = f"It knows {known} of {prompt}." if known else f"It knows no version of {prompt}."
        raise UsageError(
            f"The audit log does not know {request.name}", f"{listed} Add what is new: `promptci audit record`."
        )
    sentences = tell_story(story, material.collect(story))
    return AuditExplanation(
        prompt=prompt, version=story.version, outcome=story.outcome, sentences=[_to_row(each) for each in sentences]
    )


def _to_row(sentence: ToldSentence) -> ExplainedSentence:
    return ExplainedSentence(text=sentence.text, entries=list(sentence.entries), evidence=list(sentence.evidence))


def explanation_lines(explanation: AuditExplanation) -> Iterator[str]:
    """Yield what a person reads."""
    yield f"{explanation.prompt} {explanation.version}: {explanation.outcome}"
    for sentence in explanation.sentences:
        shown = [f"entry {n}" for n in sentence.entries] + sentence.evidence
        yield f"- {sentence.text}" + (f" [{', '.join(shown)}]" if shown else "")
