"""Where a report comes from, row by row, so that an auditor can match it to the log. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from promptci.present import formatting
from promptci.report.model.report import ArmView, PromptView, ReportView, RevisionView
from promptci.report.text import number_text

DIGITS = 16
"""Of a fingerprint: its whole length is in report.json."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One fact."""

    name: str
    value: str
    code: bool = False
    """Whether it is a name or a number of a machine."""


def rows(view: ReportView, digest: str) -> list[Row]:
    """Give the facts of the run that are known."""
    return list(_rows(view, digest))


def _rows(view: ReportView, digest: str) -> Iterator[Row]:
    if view.repository:
        yield Row(name="Repository", value=view.repository)
    if view.pull_request is not None:
        yield Row(name="Pull request", value=f"{view.pull_request}")
    if view.actor:
        yield Row(name="Set off by", value=view.actor)
    if view.run_url:
        yield Row(name="Workflow run", value=view.run_url)
    if view.base is not None:
        yield _revision("Before", view.base)
    yield _revision("Now" if view.base else "Revision", view.head)
    if view.started_at:
        yield Row(name="Started", value=number_text.moment(view.started_at))
    if view.generated_at:
        yield Row(name="Finished", value=number_text.moment(view.generated_at))
    if view.provider:
        yield Row(name="Answered by", value=view.provider)
    yield Row(name="Asked and spent", value=number_text.spend(view))
    yield Row(name="Policy from", value=view.gate.source)
    yield Row(name="promptci", value=view.promptci_version)
    yield Row(name="SHA-256 of report.json", value=digest, code=True)


def _revision(name: str, side: RevisionView) -> Row:
    return Row(name=name, value=f"{side.rev}, {side.sha or 'working tree'}", code=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What one prompt was asked with, and who answered."""

    prompt: str
    fingerprints: tuple[str, ...]
    """Of the prompt, before and now; one where they are the same."""
    goldens: str
    models: str
    judge: str


def asked(view: ReportView) -> list[Asked]:
    """Give for each prompt the digests and the models, as far as they are known."""
    return [
        Asked(
            prompt=prompt.name,
            fingerprints=tuple(dict.fromkeys(filter(None, map(_short, _sides(prompt))))),
            goldens=f"{formatting.count(prompt.cases, 'case')}, {_short(prompt.goldens)}" if prompt.goldens else "–",
            models=_models(prompt),
            judge=", ".join(prompt.judge.identities) if prompt.judge else "–",
        )
        for prompt in view.prompts
    ]


def _sides(prompt: PromptView) -> tuple[str | None, str | None]:
    return prompt.base_fingerprint, prompt.head_fingerprint


def _short(digest: str | None) -> str:
    return (digest or "")[:DIGITS]


def _models(prompt: PromptView) -> str:
    """Say which model was asked for and which answered: once where both versions say the same."""
    said = [(word, _model(arm)) for word, arm in (("before", prompt.base), ("now", prompt.head)) if arm is not None]
    if len({text for _, text in said}) == 1:
        return said[0][1]
    return "; ".join(f"{word} {text}" for word, text in said) or "–"


def _model(arm: ArmView) -> str:
    marks = f" [{', '.join(arm.fingerprints)}]" if arm.fingerprints else ""
    return f"{arm.model_asked or formatting.UNKNOWN} → {', '.join(arm.models) or formatting.UNKNOWN}{marks}"
