"""Golden cases from production: one that failed, and a sample of what people ask."""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptci.errors import UsageError
from promptci.evaluation import run
from promptci.files import write
from promptci.git.repo import Repo
from promptci.goldens.identity import digest_variables
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection.collect_all import select_prompts
from promptci.redact import Redactor
from promptci.requestlog.logged_cases import LoggedCase, read_logged_cases
from promptci.runs.prompt_plan import PromptPlan
from promptci.wording import count

if TYPE_CHECKING:
    from rapidfuzz import fuzz
else:
    fuzz = lazy_import("rapidfuzz.fuzz")

MIN_LIKENESS = 95.0
"""Percent of equal characters from which two inputs are one: as `goldens lint` has it."""
MAX_COMPARED_CHARS = 2000
MAX_CANDIDATES = 5000
"""Requests of a log that a sample is drawn from; of a longer log an even share of its lines."""
LENGTHS = (200, 1000, 5000)
"""Characters of an input that part short, medium, long and very long ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSource:
    """A log, and whose requests in it are meant."""

    root: Path
    config_path: str
    logs: tuple[Path, ...]
    prompt: str


def add_case(
    source: LogSource, redactor: Redactor, *, line: int | None, request: str | None, expected: str | None, dry_run: bool
) -> tuple[Path, dict[str, Any]]:
    """Append the request on a line of a log, or with an id, to the prompt's golden file; return the file and the case.

    A dry run writes nothing. Without the right answer, the case asks for any other than the one that was logged.

    Raises
    ------
    UsageError
        Where no line or several are meant, nothing could be checked, or the case is there already.
    """
    plan, root = _find_plan(source)
    matching = [
        each
        for each in read_logged_cases(source.logs, redactor)
        if (line is None or each.line == line) and (request is None or each.id == request)
        if each.prompt in {"", plan.name}
    ]
    if len(matching) != 1:
        message = f"{count(len(matching), 'request')} of `{plan.name}` with an input match"
        raise UsageError(message, "Name one by --line or --request.")
    logged = matching[0]
    if digest_variables(logged.variables) in {digest_variables(case.vars) for case in _list_cases(plan)}:
        raise UsageError("The golden set has a case with these variables", "Edit that one.")
    case = {"vars": logged.variables, **_expect(logged, expected), "tags": ["from-log"]}
    path = root / _choose_file(plan)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    separator = "" if not before or before.endswith("\n") else "\n"
    if not dry_run:
        write.write_text(path, f"{before}{separator}{json.dumps(case, ensure_ascii=False)}\n")
    return path, case


def _expect(logged: LoggedCase, expected: str | None) -> dict[str, Any]:
    if expected is not None:
        return {"expected": expected}
    if not logged.answered.strip():
        raise UsageError("The line has no answer, so nothing could be checked", "Give the right one by --expected.")
    value = logged.answered
    if "{{" in value:
        raise UsageError("The logged answer has `{{`, which would be a variable", "Give the right one by --expected.")
    return {"assert": [{"type": "not-equals", "value": value, "name": "not the logged answer"}]}


def _choose_file(plan: PromptPlan) -> str:
    """Return the prompt's own golden file of lines, or where one would be looked for."""
    files = [path for path in plan.change.goldens_paths if path.endswith((".jsonl", ".ndjson"))]
    return files[0] if files else f"goldens/{plan.name}.jsonl"


def sample_log(source: LogSource, redactor: Redactor, *, size: int, seed: int) -> list[dict[str, Any]]:
    """Return a sample of a prompt's requests as cases without an expectation, each of another input.

    Every stratum is drawn from: failed or not, version, and length. Inputs that are nearly the same, or that the golden
    set has already, count once.
    """
    plan, _ = _find_plan(source)
    candidates = _limit(
        [each for each in read_logged_cases(source.logs, redactor) if each.prompt in {"", plan.name}], seed
    )
    known = [_text_of(case.vars) for case in _list_cases(plan)]
    strata: dict[tuple[bool, str, int], list[LoggedCase]] = defaultdict(list)
    for each in candidates:
        strata[_stratum(each)].append(each)
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    for members in strata.values():
        chance.shuffle(members)
    drawn: list[LoggedCase] = []
    queues = [strata[key] for key in sorted(strata, key=lambda key: (not key[0], key[1], key[2]))]
    while len(drawn) < size and any(queues):
        for queue in queues:
            new = _take_new(queue, known) if len(drawn) < size else None
            if new is not None:
                drawn.append(new)
    return [_describe(each) for each in drawn]


def _limit(cases: Sequence[LoggedCase], seed: int) -> list[LoggedCase]:
    if len(cases) <= MAX_CANDIDATES:
        return list(cases)
    return random.Random(seed).sample(list(cases), MAX_CANDIDATES)  # noqa: S311 - a sample, no secret


def _take_new(queue: list[LoggedCase], known: list[str]) -> LoggedCase | None:
    """Return the next request that is unlike all known texts, to which its own is added; None where there is none."""
    while queue:
        candidate = queue.pop()
        text = _text_of(candidate.variables)
        if not any(fuzz.ratio(text, other, score_cutoff=MIN_LIKENESS) for other in known):
            known.append(text)
            return candidate
    return None


def _stratum(logged: LoggedCase) -> tuple[bool, str, int]:
    length = len(_text_of(logged.variables))
    return logged.failed, logged.version, sum(length >= limit for limit in LENGTHS)


def _describe(logged: LoggedCase) -> dict[str, Any]:
    outcome = "failed" if logged.failed else "answered"
    facts = {"line": logged.line, "version": logged.version, "outcome": outcome, "answer": logged.answered}
    tags = ["from-log", *(["failed"] if logged.failed else [])]
    return {"vars": logged.variables, "tags": tags, "metadata": {key: fact for key, fact in facts.items() if fact}}


def _text_of(variables: Any) -> str:
    values: Iterable[Any] = variables.values()
    texts = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)
    return " ".join(" ".join(texts).lower().split())[:MAX_COMPARED_CHARS]


def _list_cases(plan: PromptPlan) -> list[Case]:
    return [planned.case for planned in plan.task.cases]


def _find_plan(source: LogSource) -> tuple[PromptPlan, Path]:
    repo = Repo.discover(source.root)
    with closing(repo.snapshot(".")) as head:
        (plan,) = select_prompts(run.collect_everything(head, source.config_path), (source.prompt,)).plans
    return plan, repo.root
