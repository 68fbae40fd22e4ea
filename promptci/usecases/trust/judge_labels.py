"""Label answers of the last run by hand, for measuring the judge. Asks no model."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from promptci.config.find import load_revision_config
from promptci.errors import UsageError
from promptci.files import write
from promptci.git import globs
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.goldens import labels
from promptci.goldens.labels import Label
from promptci.lazy_dataclass import dataclass
from promptci.redact import REPLACEMENT
from promptci.report.model.report import CaseView, PromptView, ReportView
from promptci.wording import join_names


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelRequest:
    """Whose answers are to be labelled, and where they are."""

    root: Path
    config_path: str
    prompt: str
    report: Path
    """A report.json."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnlabelledAnswer:
    """One answer for a person to judge. Neither its version nor the judge's mark is shown, so that they sway nobody."""

    case_id: str
    question: str
    expected: str | None
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelling:
    """The answers of a prompt that nobody has labelled yet, and the file for the labels."""

    path: Path
    answers: tuple[UnlabelledAnswer, ...]
    """In an order that has nothing to do with how they were marked, so that any number of them is a fair sample."""
    labelled: int


def open_labelling(request: LabelRequest) -> Labelling:
    """Return the judged answers of a report without a label.

    Raises
    ------
    UsageError
        Where the report does not have the prompt, or no judge scored it.
    InputError
        With every mistake in the labels that are there.
    """
    view = ReportView.load(request.report.resolve(), str(request.report))
    prompt = next((prompt for prompt in view.prompts if prompt.name == request.prompt), None)
    if prompt is None:
        names = join_names([prompt.name for prompt in view.prompts]) or "no prompt"
        fix = f"`promptci run --prompt {request.prompt}` asks it."
        raise UsageError(f"{request.report} does not have the prompt `{request.prompt}`, but {names}", fix)
    repo = Repo.discover(request.root)
    with closing(repo.snapshot(WORK_TREE)) as tree:
        pattern = load_revision_config(tree, request.config_path).judge.labels
        paths = tree.glob(pattern.replace("{name}", globs.escape(request.prompt)))
        existing = [label for path in paths for label in labels.parse_labels(tree.read(path) or b"", path)]
    answers = _unlabelled_answers(prompt, {label.identity for label in existing})
    if not answers and not existing:
        raise UsageError(f"No judge scored an answer of `{request.prompt}` in {request.report}", "Run it with a judge.")
    path = paths[0] if paths else pattern.replace("{name}", request.prompt).replace("*", "jsonl")
    return Labelling(path=repo.root / path, answers=answers, labelled=len(existing))


def _unlabelled_answers(prompt: PromptView, known: set[str]) -> tuple[UnlabelledAnswer, ...]:
    answers = {
        identity: answer
        for case in prompt.case_details
        for answer in _judged_answers(case)
        if (identity := _identify(answer)) not in known and REPLACEMENT not in answer.answer
    }
    return tuple(answers[identity] for identity in sorted(answers))


def _judged_answers(case: CaseView) -> Iterator[UnlabelledAnswer]:
    for answer in (case.base, case.head):
        if answer is not None and answer.text is not None and any(mark.judge for mark in answer.marks):
            yield UnlabelledAnswer(case_id=case.id, question=case.input, expected=case.expected, answer=answer.text)


def _identify(answer: UnlabelledAnswer) -> str:
    """Return the digest that a label of this answer would have."""
    return Label(case_id=answer.case_id, answer=answer.answer, passed=True, path="", line=0).identity


def save_label(path: Path, answer: UnlabelledAnswer, *, passed: bool) -> None:
    """Add one label to the file at once, so that an interrupted session loses nothing."""
    content = path.read_bytes() if path.is_file() else b""
    if content and not content.endswith(b"\n"):
        content += b"\n"
    label = {"id": answer.case_id, "answer": answer.answer, "pass": passed}
    write.write_bytes(path, content + json.dumps(label, ensure_ascii=False).encode() + b"\n")
