"""Put the shards of a run together: one report and one verdict, as if it had not been split."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from promptci import __version__
from promptci.app.requests import CheckRequest, RunResult
from promptci.errors import InputError, Problem
from promptci.evaluation import check, results, run
from promptci.git.repo import Repo
from promptci.pipeline.ask import resume
from promptci.pipeline.environment import Environment
from promptci.pipeline.merged_answers import Joined
from promptci.pipeline.revisions import Revisions
from promptci.runs.execute import QuestionKey
from promptci.runs.model import Answer
from promptci.shards import artifacts
from promptci.shards.artifacts import HandedIn
from promptci.shards.shard_run import ShardRecord
from promptci.wording import short_sha

Again = Callable[[CheckRequest, Environment], RunResult]
"""The request that was split: `check` or `run`."""
MAX_NAMED = 20
_ALIKE: Mapping[str, Callable[[ShardRecord], object]] = {
    "another version of promptci": lambda record: record.promptci,
    "another command": lambda record: record.kind,
    "another base": lambda record: record.base,
    "another head": lambda record: record.head,
    "another configuration file": lambda record: record.config,
    "another number of shards": lambda record: record.count,
    "other prompts or goldens": lambda record: record.plan,
}
_ONE_RUN = "Hand in the folders of one run of the shards, and no others."


def merge_standalone(folders: Sequence[Path], request: CheckRequest, env: Environment) -> RunResult:
    """Join shards, which say themselves what they were about; of `request`, repository and output folder count.

    Raises
    ------
    InputError
        Where nothing can be used of what was handed in.
    GitError
        Where a commit of the shards is not in the repository.
    """
    shards, problems = _read_shards(folders, request.root)
    if not shards:
        raise InputError(problems)
    record = shards[0].record
    about = replace(
        request,
        config_path=record.config,
        base=record.base,
        base_name=record.base_rev,
        head=record.head,
        head_name=record.head_rev,
    )
    return _merge_shards(shards, problems, run.run if record.kind == "run" else check.check, about, env)


def merge_for_event(folders: Sequence[Path], again: Again, request: CheckRequest, env: Environment) -> RunResult:
    """Join the shards of an request that is known from elsewhere; shards of another one are refused."""
    shards, problems = _read_shards(folders, request.root)
    return _merge_shards(shards, problems, again, request, env)


def _read_shards(folders: Sequence[Path], root: Path) -> tuple[list[HandedIn], list[Problem]]:
    """Read the shards; what is in the repository is named as there, not by where it is on this machine."""
    shards, problems = artifacts.read_all(folders)
    above = f"{root}{os.sep}"
    return (
        [replace(shard, where=shard.where.removeprefix(above)) for shard in shards],
        [replace(problem, path=problem.path.removeprefix(above)) for problem in problems],
    )


def _merge_shards(
    shards: list[HandedIn], problems: list[Problem], again: Again, request: CheckRequest, env: Environment
) -> RunResult:
    """Go through the whole run with the shards in the model's place; only what no shard asks is asked now."""
    repo = Repo.discover(request.root)
    with closing(repo.snapshot(request.head)) as head:
        base_revision, base_name = (None, "") if again is run.run else check.find_base(repo, request)
        base = None if base_revision is None else repo.snapshot(base_revision)
        with closing(base or head):
            revisions = Revisions(
                head=head,
                head_name=request.head_name or request.head,
                base=base,
                base_name=base_name,
            )
            problems = [*problems, *_find_problems(shards, revisions, request)]
            if problems and not _is_broken(again, request, env):
                return results.write_refusal(InputError(problems), revisions, request, env)
    if problems:
        return again(request, env)  # it says what is wrong in the files, and asks nothing
    (request.out / resume.JOURNAL).unlink(missing_ok=True)
    return again(replace(request, joined=_build_joined_answers(shards)), env)


def _is_broken(again: Again, request: CheckRequest, env: Environment) -> bool:
    """Return whether the files of the change cannot be used, so that no shard could hand in anything."""
    try:
        again(replace(request, dry_run=True), replace(env, print=lambda _: None))
    except InputError:
        return True
    return False


def _find_problems(shards: Sequence[HandedIn], revisions: Revisions, request: CheckRequest) -> list[Problem]:
    """Return why these are not the whole of one run over these commits."""
    problems = []
    for shard in shards:
        strange = [
            difference
            for difference, of_record in _ALIKE.items()
            if of_record(shard.record) != of_record(shards[0].record)
        ]
        if strange:
            message = f"it is of {strange[0]} than {shards[0].where}"
            problems.append(Problem(path=shard.where, message=message, hint=_ONE_RUN))
    if problems or not shards:
        return problems
    record = shards[0].record
    if record.promptci != __version__:
        message = f"it was written by promptci {record.promptci}, and this is {__version__}"
        problems.append(Problem(path=shards[0].where, message=message, hint="Use one version for shards and merge."))
    kind, shas = revisions.kind, (revisions.base_sha, revisions.head_sha)
    if (record.kind, record.base, record.head, record.config) != (kind, *shas, request.config_path):
        subject = f"a {record.kind} of {_short(record.head)} against {_short(record.base)}"
        message = f"it is about {subject}, not the run of this event"
        problems.append(Problem(path=shards[0].where, message=message, hint=_ONE_RUN))
    return problems or [*_find_miscounted(shards), *artifacts.find_duplicates(shards)]


def _find_miscounted(shards: Sequence[HandedIn]) -> list[Problem]:
    """Name shards that are missing and those that are there twice."""
    count = shards[0].record.count
    places_by_index: dict[int, list[str]] = {index: [] for index in range(1, count + 1)}
    for shard in shards:
        if shard.record.index in places_by_index:
            places_by_index[shard.record.index].append(shard.where)
    problems = [
        Problem(
            path=places[1], message=f"shard {index} of {count} is there twice, here and in {places[0]}", hint=_ONE_RUN
        )
        for index, places in places_by_index.items()
        if len(places) > 1
    ]
    missing = [str(index) for index, places in places_by_index.items() if not places]
    if missing:
        named = ", ".join(missing[:MAX_NAMED]) + (" and others" if len(missing) > MAX_NAMED else "")
        message = f"of {count} shards {len(missing)} handed in nothing: {named}"
        fix = "Look at what their jobs say and run them again."
        problems.append(Problem(path=shards[0].where, message=message, hint=fix))
    return problems


def _build_joined_answers(shards: Sequence[HandedIn]) -> Joined:
    answers: dict[QuestionKey, Answer] = {}
    repeats = 0
    for shard in shards:
        for answer in shard.answers:
            paid_again = answer.key in answers and answer.completion is not None and not answer.cached
            repeats += paid_again
            answers.setdefault(answer.key, answer)
    notes = (
        [f"{repeats} questions to judges were asked by more than one shard, and count here once."] if repeats else []
    )
    names = [shard.record.provider for shard in shards if shard.record.questions]
    return Joined(
        plan=shards[0].record.plan,
        provider=names[0] if names else "nobody",
        answers=tuple(answers.values()),
        notes=tuple(notes),
    )


def _short(sha: str | None) -> str:
    return "nothing" if sha is None else short_sha(sha)
