"""Find what makes a golden set say less than it seems to: doubles, leaks, one label for nearly all, personal data."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from promptci import redact
from promptci.errors import Problem
from promptci.goldens.checks.personal_data import find_personal_data
from promptci.goldens.duplicates import describe_duplicates
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from rapidfuzz import fuzz
else:
    fuzz = lazy_import("rapidfuzz.fuzz")

MIN_LIKENESS = 95.0
"""Percent of equal characters from which two cases ask nearly the same."""
MAX_COMPARED_CASES = 600
MAX_COMPARED_CHARS = 2000
MIN_LEAK_CHARS = 12
"""Shorter texts, such as labels, stand in a prompt for good reasons."""
MIN_LABELLED_CASES, MAX_LABELS, MAX_SHARE = 10, 20, 0.8
WORDS_FOR_NO = {"no", "off", "n", "false"}
CONDITION = re.compile(r"\{%[-+]?\s*(?:el)?if\b[^%]*%\}|\{\{[#^](?:if|unless)\b[^}]*\}\}|\{\{[^}]*\bif\b[^}]*\}\}")
"""Tags of Jinja and Handlebars that ask whether something is true."""
MAX_NAMED = 5
"""Findings of one kind that are named for one prompt."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing to look at in a golden set."""

    rule: str
    problem: Problem


def lint_cases(cases: Sequence[Case], prompt_texts: Sequence[str]) -> list[LintFinding]:
    """Return what is doubtful about the cases of one prompt; `prompt_texts` are the templates of its messages."""
    return [finding for rule, find in RULES.items() for finding in limit_findings(rule, find(cases, prompt_texts))]


def limit_findings(rule: str, problems: Iterable[Problem]) -> list[LintFinding]:
    """Return the findings of one kind for one prompt: the first few, and how many more there are."""
    problems = list(problems)
    findings = [LintFinding(rule, problem) for problem in problems[:MAX_NAMED]]
    if len(problems) > MAX_NAMED:
        message = f"{len(problems) - MAX_NAMED:,} more of this kind"
        findings.append(LintFinding(rule, Problem(path=problems[0].path, message=message, hint="See the first.")))
    return findings


def _find_duplicates(cases: Sequence[Case], _: Sequence[str]) -> Iterator[Problem]:
    for note in describe_duplicates(cases):
        yield Problem(path=cases[0].path, message=note.rstrip("."), hint="Equal cases count once as evidence.")


def _find_near_duplicates(cases: Sequence[Case], _: Sequence[str]) -> Iterator[Problem]:
    texts = [_normalize(_text_of(case))[:MAX_COMPARED_CHARS] for case in cases[:MAX_COMPARED_CASES]]
    for index, text in enumerate(texts):
        for earlier in range(index):
            is_same = cases[index].vars == cases[earlier].vars
            if is_same or not fuzz.ratio(text, texts[earlier], score_cutoff=MIN_LIKENESS):
                continue
            case, other = cases[index], cases[earlier]
            message = f"`{case.id}` asks nearly the same as `{other.id}` ({other.path}:{other.line})"
            yield _problem(case, message, "Give both the same `cluster`, so that they count as one, or remove one.")
            break


def _find_leaks(cases: Sequence[Case], prompt_texts: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each case whose input or answer the prompt itself has, as an example."""
    prompt = _normalize("\n".join(prompt_texts))
    counts = Counter(str(case.expected) for case in cases)
    for case in cases:
        expected = case.expected if isinstance(case.expected, str) and counts[case.expected] == 1 else ""
        texts = {"expected answer": expected, **{f"variable `{k}`": v for k, v in case.vars.items()}}
        for name, text in texts.items():
            normal = _normalize(text) if isinstance(text, str) else ""
            if len(normal) >= MIN_LEAK_CHARS and normal in prompt:
                hint = "A model repeats what it is shown. Use another case, or another example."
                yield _problem(case, f"the {name} of `{case.id}` stands in the prompt", hint)
                break


def _find_unbalanced_labels(cases: Sequence[Case], _: Sequence[str]) -> Iterator[Problem]:
    labels = Counter(
        case.expected.strip() for case in cases if isinstance(case.expected, str) and case.expected.strip()
    )
    total = labels.total()
    if total < MIN_LABELLED_CASES or len(labels) > min(MAX_LABELS, total // 2):
        return
    label, count = labels.most_common(1)[0]
    if count == total:
        message = f"all {total} cases expect `{label[:40]}`: an answer that is always this passes every case"
        yield Problem(path=cases[0].path, message=message, hint="Add cases of other answers.")
    elif count / total > MAX_SHARE:
        message = (
            f"{count} of {total} cases expect `{label[:40]}`: an answer that is always this passes {count / total:.0%}"
        )
        yield Problem(path=cases[0].path, message=message, hint="Add cases of the other answers.")
    for rare in (label for label, number in labels.items() if number == 1):
        message = f"only one of {total} cases expects `{rare[:40]}`"
        yield Problem(path=cases[0].path, message=message, hint="Add more cases of this answer.")


def _find_keys(cases: Sequence[Case], _: Sequence[str]) -> Iterator[Problem]:
    for case in cases:
        if redact.looks_like_key(f"{_text_of(case)}\n{case.expected}"):
            yield _problem(case, f"`{case.id}` has what looks like a key", "Revoke the key, and remove it from git.")


def _find_personal_data(cases: Sequence[Case], _: Sequence[str]) -> Iterator[Problem]:
    for case in cases:
        text = f"{_text_of(case)}\n{case.expected}"
        for name in find_personal_data(text):
            hint = "Replace it by an invented one, such as ann@example.com."
            yield _problem(case, f"`{case.id}` has what looks like {name}", hint)


def _find_unchecked(cases: Sequence[Case], _: Sequence[str]) -> Iterator[Problem]:
    for case in cases:
        if not case.assertions:
            yield _problem(case, f"nothing checks the answer to `{case.id}`", "Add `expected` or `assert`.")


def find_truthy_words(cases: Sequence[Case], prompt_texts: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each variable that a condition of the prompt asks for, and whose text says no or off.

    A text is true in a condition, whatever it says; `no` and `off` in YAML are texts, and `false` is none.
    """
    conditions = [tag for text in prompt_texts for tag in CONDITION.findall(text)]
    for case in cases:
        for name, value in case.vars.items():
            if not isinstance(value, str) or value.strip().lower() not in WORDS_FOR_NO:
                continue
            asked = re.compile(rf"\b{re.escape(str(name))}\b(?!\s*(?:==|!=|[<>.(\[]|in\b|is\b|\|))")
            if any(asked.search(tag) for tag in conditions):
                message = f"`{name}` of `{case.id}` is the text `{value.strip()}`, which counts as true in a condition"
                hint = f'Write `false`, without quotes, or ask `{name} == "{value.strip()}"` in the prompt.'
                yield _problem(case, message, hint)


RULES: dict[str, Callable[[Sequence[Case], Sequence[str]], Iterable[Problem]]] = {
    "duplicate": _find_duplicates,
    "near-duplicate": _find_near_duplicates,
    "leak": _find_leaks,
    "unbalanced": _find_unbalanced_labels,
    "key": _find_keys,
    "personal-data": _find_personal_data,
    "unchecked": _find_unchecked,
    "truthy": find_truthy_words,
}
"""What is looked for: cases with their effective assertions and the prompt's texts in, problems out."""


def _problem(case: Case, message: str, hint: str) -> Problem:
    return Problem(path=case.path, line=case.line, message=message, hint=hint)


def _text_of(case: Case) -> str:
    values = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in case.vars.values()
    )
    return "\n".join(values)


def _normalize(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
