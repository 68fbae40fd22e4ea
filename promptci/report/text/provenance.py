"""Where a report comes from, row by row, so that an auditor can match it to the log. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from promptci.present import formatting
from promptci.report.model.report import PromptView, ReportView, RevisionView, VersionView
from promptci.report.text import number_text

DIGEST_DIGITS = 16
"""Digits shown of a fingerprint; report.json has all of them."""
_SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvenanceRow:
    """One fact about the run."""

    name: str
    value: str
    code: bool = False
    """Whether to show the value as code."""


def run_rows(view: ReportView, digest: str) -> list[ProvenanceRow]:
    """Return the known facts about the run."""
    return list(_run_rows(view, digest))


def _run_rows(view: ReportView, digest: str) -> Iterator[ProvenanceRow]:
    if view.repository:
        yield ProvenanceRow(name="Repository", value=view.repository)
    if view.pull_request is not None:
        yield ProvenanceRow(name="Pull request", value=f"{view.pull_request}")
    if view.actor:
        yield ProvenanceRow(name="Triggered by", value=view.actor)
    if view.run_url:
        yield ProvenanceRow(name="Workflow run", value=view.run_url)
    if view.base is not None:
        yield _revision("Before", view.base)
    yield _revision("After" if view.base else "Revision", view.head)
    if view.started_at:
        yield ProvenanceRow(name="Started", value=number_text.moment(view.started_at))
    if view.generated_at:
        yield ProvenanceRow(name="Finished", value=number_text.moment(view.generated_at))
    if view.provider:
        yield ProvenanceRow(name="Answered by", value=view.provider)
    yield ProvenanceRow(name="Calls and cost", value=number_text.spend(view))
    yield ProvenanceRow(name="Policy from", value=view.gate.source)
    yield ProvenanceRow(name="promptci", value=view.promptci_version)
    yield ProvenanceRow(name="SHA-256 of report.json", value=digest, code=True)


def _revision(name: str, side: RevisionView) -> ProvenanceRow:
    return ProvenanceRow(name=name, value=f"{side.rev}, {side.sha or 'working tree'}", code=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptProvenance:
    """Prompt, goldens, model and judge of one prompt."""

    prompt: str
    fingerprints: tuple[str, ...]
    """Fingerprints of the prompt before and after; one if they are equal."""
    goldens: str
    models: str
    judge: str


def prompt_rows(view: ReportView) -> list[PromptProvenance]:
    """Return the known digests and models of each prompt."""
    return [
        PromptProvenance(
            prompt=prompt.name,
            fingerprints=tuple(
                dict.fromkeys(filter(None, map(_short, (prompt.base_fingerprint, prompt.head_fingerprint))))
            ),
            goldens=f"{formatting.count(prompt.cases, 'case')}, {_short(prompt.goldens)}" if prompt.goldens else "–",
            models=_models(prompt),
            judge=", ".join(prompt.judge.identities) if prompt.judge else "–",
        )
        for prompt in view.prompts
    ]


def _short(digest: str | None) -> str:
    return (digest or "")[:DIGEST_DIGITS]


def _models(prompt: PromptView) -> str:
    """Return the requested and the answering model: once if both versions have the same."""
    versions = (("before", prompt.base), ("after", prompt.head))
    models = [(word, _model(version)) for word, version in versions if version is not None]
    if len({model for _, model in models}) == 1:
        return models[0][1]
    return "; ".join(f"{word} {model}" for word, model in models) or "–"


def _model(version: VersionView) -> str:
    fingerprints = f" [{', '.join(version.fingerprints)}]" if version.fingerprints else ""
    answered = ", ".join(version.models) or formatting.UNKNOWN
    return f"{version.model_requested or formatting.UNKNOWN} → {answered}{fingerprints}"


def comparability_rows(prompt: PromptView) -> list[tuple[str, str]]:
    """Return whether the versions are comparable and under which conditions; empty if nothing is compared."""
    comparability = prompt.comparability
    if comparability is None:
        return []
    answer = f"no: {'; '.join(comparability.mismatches)}" if comparability.mismatches else "yes"
    parts = [(name[:1].upper() + name[1:], shorten_digests(part)) for name, part in comparability.parts.items()]
    return [("Comparable", answer), *parts, ("Fingerprint", comparability.fingerprint[:12])]


def shorten_digests(text: str) -> str:
    """Return a text with its SHA-256 digests cut to 12 digits."""
    return _SHA256.sub(r"\1", text)
