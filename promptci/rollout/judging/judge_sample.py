"""Have the repository's judge mark a sample of both arms' answers, as lines for the next look at the request log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from promptci.config.find import load_revision_config
from promptci.errors import InputError, Problem, PromptciError, UsageError
from promptci.files import append
from promptci.goldens.model import Assertion, Case
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.ask.judge_client import JudgeClient
from promptci.pipeline.collection.side_files.rubric import load_rubric
from promptci.providers import registry
from promptci.providers.local import model_file
from promptci.providers.prices import PriceList
from promptci.requestlog.aliases import EVALUATION_NAME, QUALITY_EVALUATION
from promptci.requestlog.answers import LoggedAnswer, read_answers
from promptci.rollout.judging.sample import (
    MAX_FAILED_SHARE,
    ChosenSample,
    JudgedSample,
    SampleRequest,
    SampleState,
    choose_sample,
)
from promptci.runs.budget import Budget
from promptci.runs.execute import RunContext
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges.judge import JudgeConfig, judge_answer

if TYPE_CHECKING:
    from promptci.config.model import Config
    from promptci.git.repo import Repo
    from promptci.git.snapshot import Snapshot
    from promptci.pipeline.environment import Environment
    from promptci.requestlog.columns import RequestColumns, Texts
    from promptci.scoring.model import AssertionResult

CHUNK = 50
"""Answers that are judged before their marks are written."""
RUBRIC_ASSERTION = Assertion(type="judge")


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleJudge:
    """The judge of promptci.yml, and what it is asked with."""

    config: Config
    model: str
    rubric: str
    root: Path
    env: Environment
    now: datetime
    """When the look began: marks are timed from there, as the look itself may be of another time."""
    started: float
    """Likewise, in seconds of `env.monotonic`."""

    def mark_time(self) -> str:
        """Return when a mark is made."""
        moment = self.now + timedelta(seconds=self.env.monotonic() - self.started)
        return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def load_judge(repo: Repo, snapshot: Snapshot, request: SampleRequest, env: Environment) -> SampleJudge:
    """Return the judge of a revision.

    Raises
    ------
    UsageError
        Where promptci.yml names no model or no rubric.
    """
    config = load_revision_config(snapshot, request.config_path)
    rubric = load_rubric(snapshot, config.judge.rubric)
    if not config.judge.model or not rubric:
        hint = f"Set `judge.model` and `judge.rubric` in {request.config_path}; see docs/judge.md."
        raise UsageError("--judge-sample needs a judge with a rubric", hint)
    return SampleJudge(
        config=config,
        model=config.judge.model,
        rubric=rubric,
        root=repo.root,
        env=env,
        now=request.now,
        started=env.monotonic(),
    )


def judge_samples(
    request: SampleRequest, judge: SampleJudge, windows: Mapping[str, RequestColumns]
) -> tuple[JudgedSample, ...]:
    """Choose answers of each canary and have them marked; a mark counts from the next look after `lag` on.

    What goes wrong is in the state of the sample, so that it delays no rollback.
    """
    tried = {prompt: requests for prompt, requests in windows.items() if len(requests)}
    try:
        ids = [answer.id for answer in read_answers(request.answers)] if tried else []
        chosen = [(prompt, *_choose(requests, ids, request.number)) for prompt, requests in tried.items()]
        chosen_ids = {name for _, _, names in chosen for name in names}
        answers = {answer.id: answer for answer in read_answers(request.answers) if answer.id in chosen_ids}
    except InputError as error:
        state = SampleState.NO_ANSWERS
        return tuple(JudgedSample(prompt=prompt, state=state, reason=str(error)) for prompt in tried)
    samples: list[JudgedSample] = []
    for prompt, sample, names in chosen:
        result = JudgedSample(
            prompt=prompt, state=sample.state, chosen=len(names), without_answer=sample.without_answer
        )
        if names and not request.dry_run:
            result = _judge(result, [answers[name] for name in names], request.marks, judge)
        samples.append(result)
    return tuple(samples)


def _choose(requests: RequestColumns, ids: Sequence[str], number: int) -> tuple[ChosenSample, list[str]]:
    """Return the sample of a canary, and the ids of the answers to judge, in its order."""
    hashes = _hash(requests.texts, ids)
    sample = choose_sample(requests, np.fromiter(hashes, "u8", len(hashes)), number)
    return sample, [hashes[value] for value in sample.ids.tolist()]


def _hash(texts: Texts, ids: Sequence[str]) -> dict[int, str]:
    return dict(zip(texts.hash_all(ids).tolist(), ids, strict=True))


def _judge(sample: JudgedSample, answers: Sequence[LoggedAnswer], marks: Path, judge: SampleJudge) -> JudgedSample:
    try:
        results = asyncio.run(_ask_all(answers, marks, judge))
    except PromptciError as error:
        return replace(sample, state=SampleState.JUDGE_FAILED, reason=str(error))
    judged = sum(result.passed is not None for result in results)
    failed = [result.reason for result in results if result.passed is None]
    state = SampleState.JUDGE_FAILED if len(failed) > MAX_FAILED_SHARE * len(answers) else sample.state
    return replace(sample, state=state, judged=judged, reason=failed[0] if failed else "")


async def _ask_all(answers: Sequence[LoggedAnswer], marks: Path, judge: SampleJudge) -> list[AssertionResult]:
    """Ask the judge about each answer, and append its marks."""
    config, env = judge.config, judge.env
    calls = config.run.concurrency
    home = model_file.cache_home(env.environ)
    provider = registry.create_provider(config.provider, env.environ, judge.root, home, concurrency=calls)
    # Neither cache nor journal: nothing of what users wrote is kept.
    budget = Budget(config.run.budget_usd, prices=PriceList(config.provider))
    context = RunContext(budget=budget, clock=env.monotonic, started_at=env.monotonic())
    client = JudgeClient(provider, config.run, context)
    judge_config = JudgeConfig(ask=client.ask, model=judge.model, rubric=judge.rubric)
    results: list[AssertionResult] = []
    try:
        for start in range(0, len(answers), CHUNK):
            chunk = answers[start : start + CHUNK]
            subjects = [_subject(answer) for answer in chunk]
            asked = [judge_answer(RUBRIC_ASSERTION, subject, judge_config) for subject in subjects]
            marked = await asyncio.gather(*asked)
            time = judge.mark_time()
            _append(marks, [_line(answer.id, result, time) for answer, result in zip(chunk, marked, strict=True)])
            results += marked
    finally:
        await provider.aclose()
    return results


def _subject(answer: LoggedAnswer) -> Subject:
    """Return what the judge sees: nothing by which it could tell the arms apart."""
    case = Case(id=answer.id, vars={"input": answer.asked}, path="")
    unknown = Answer(prompt="", arm=Arm.HEAD, case_id=answer.id, replicate=0, request_key="")
    return Subject(text=answer.answered, case=case, answer=unknown)


def _line(request_id: str, result: AssertionResult, time: str) -> dict[str, object] | None:
    """Return an evaluation line; None where the judge gave no mark. The judge's words would quote the answer."""
    if result.passed is None:
        return None
    return {
        "time": time,
        "promptci.request": request_id,
        EVALUATION_NAME: QUALITY_EVALUATION,
        "gen_ai.evaluation.score.value": int(result.passed),
        "gen_ai.request.model": None if result.judge is None else result.judge.model,
    }


def _append(path: Path, lines: Sequence[dict[str, object] | None]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines if line is not None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        append.append_lines(path, text.encode())
    except OSError as error:
        message = f"the marks cannot be written: {error.strerror}"
        problem = Problem(path=str(path), message=message, hint="See --marks.")
        raise InputError([problem]) from error
