"""Put the shards of a run together: one report and one verdict, as if it had not been split."""

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

Again = Callable[[CheckRequest, Environment], RunResult]
"""The request that was split: `check` or `run`."""
MOST_NAMED = 20
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


def by_themselves(folders: Sequence[Path], request: CheckRequest, env: Environment) -> RunResult:
    """Join shards, which say themselves what they were about; of `request`, repository and output folder count.

    Raises
    ------
    InputError
        Where nothing can be used of what was handed in.
    GitError
        Where a commit of the shards is not in the repository.
    """
    found, problems = artifacts.read_all(folders)
    if not found:
        raise InputError(problems)
    said = found[0].record
    about = replace(
        request,
        config_path=said.config,
        base=said.base,
        base_name=said.base_rev,
        head=said.head,
        head_name=said.head_rev,
    )
    return _merged((found, problems), run.run if said.kind == "run" else check.check, about, env)


def of(folders: Sequence[Path], again: Again, request: CheckRequest, env: Environment) -> RunResult:
    """Join the shards of an request that is known from elsewhere; shards of another one are refused."""
    return _merged(artifacts.read_all(folders), again, request, env)


def _merged(
    read: tuple[list[HandedIn], list[Problem]], again: Again, request: CheckRequest, env: Environment
) -> RunResult:
    """Go through the whole run with the shards in the model's place; only what no shard asks is asked now."""
    found, problems = read
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
            problems = [*problems, *_problems(found, revisions, request)]
            if problems and not _is_broken(again, request, env):
                return results.write_refusal(InputError(problems), revisions, request, env)
    if problems:
        return again(request, env)  # it says what is wrong in the files, and asks nothing
    (request.out / resume.JOURNAL).unlink(missing_ok=True)
    return again(replace(request, joined=_joined(found)), env)


def _is_broken(again: Again, request: CheckRequest, env: Environment) -> bool:
    """Return whether the files of the change cannot be used, so that no shard could hand in anything."""
    try:
        again(replace(request, dry_run=True), replace(env, print=lambda _: None))
    except InputError:
        return True
    return False


def _problems(found: Sequence[HandedIn], revisions: Revisions, request: CheckRequest) -> list[Problem]:
    """Return why these are not the whole of one run over these commits."""
    problems = []
    for one in found:
        strange = [what for what, of_record in _ALIKE.items() if of_record(one.record) != of_record(found[0].record)]
        if strange:
            what = f"it is of {strange[0]} than {found[0].where}"
            problems.append(Problem(path=one.where, message=what, hint=_ONE_RUN))
    if problems or not found:
        return problems
    said = found[0].record
    if said.promptci != __version__:
        what = f"it was written by promptci {said.promptci}, and this is {__version__}"
        problems.append(Problem(path=found[0].where, message=what, hint="Use one version for shards and merge."))
    kind, shas = revisions.kind, (revisions.base_sha, revisions.head_sha)
    if (said.kind, said.base, said.head, said.config) != (kind, *shas, request.config_path):
        what = (
            f"it is about a {said.kind} of {_short(said.head)} against {_short(said.base)}, not the run of this event"
        )
        problems.append(Problem(path=found[0].where, message=what, hint=_ONE_RUN))
    return problems or [*_count(found), *artifacts.doubled(found)]


def _count(found: Sequence[HandedIn]) -> list[Problem]:
    """Name shards that are missing and those that are there twice."""
    count = found[0].record.count
    where: dict[int, list[str]] = {index: [] for index in range(1, count + 1)}
    for one in found:
        if one.record.index in where:
            where[one.record.index].append(one.where)
    problems = [
        Problem(
            path=places[1], message=f"shard {index} of {count} is there twice, here and in {places[0]}", hint=_ONE_RUN
        )
        for index, places in where.items()
        if len(places) > 1
    ]
    missing = [str(index) for index, places in where.items() if not places]
    if missing:
        named = ", ".join(missing[:MOST_NAMED]) + (" and others" if len(missing) > MOST_NAMED else "")
        what = f"of {count} shards {len(missing)} handed in nothing: {named}"
        fix = "Look at what their jobs say and run them again."
        problems.append(Problem(path=found[0].where, message=what, hint=fix))
    return problems


def _joined(found: Sequence[HandedIn]) -> Joined:
    answers: dict[QuestionKey, Answer] = {}
    twice = 0
    for one in found:
        for answer in one.answers:
            paid_again = answer.key in answers and answer.completion is not None and not answer.cached
            twice += paid_again
            answers.setdefault(answer.key, answer)
    notes = [f"{twice} questions to judges were asked by more than one shard, and count here once."] if twice else []
    names = [one.record.provider for one in found if one.record.questions]
    return Joined(
        plan=found[0].record.plan,
        provider=names[0] if names else "nobody",
        answers=tuple(answers.values()),
        notes=tuple(notes),
    )


def _short(sha: str | None) -> str:
    return "nothing" if sha is None else sha[:10]
