"""Send one request to each model that the prompts and the judge use."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from promptci.errors import PromptciError
from promptci.evaluation import run
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.plan import planning
from promptci.present import formatting
from promptci.providers import registry
from promptci.providers.base import CallError, Request
from promptci.providers.local import model_file
from promptci.providers.options import ProviderOptions
from promptci.scoring.judges import judge


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelAnswer:
    """What came back from one model."""

    model: str
    ok: bool
    text: str
    """How long it took and which model answered, or what went wrong."""


def ask_models(root: Path, config_path: str, environ: Mapping[str, str]) -> list[ModelAnswer]:
    """Return the answer of each model to the first golden case of a prompt that uses it.

    Raises
    ------
    InputError
        With every mistake in the files.
    ProviderError
        Where no call could succeed, for example without a key.
    """
    repo = Repo.discover(root)
    with closing(repo.snapshot(WORK_TREE)) as tree:
        collected = run.collect_everything(tree, config_path)
    requests: dict[tuple[str, str], Request] = {}
    for question in planning.plan_run(collected).questions:
        requests.setdefault((question.request.endpoint, question.request.model), question.request)
    judges = collected.config.judge
    cases = (planned.case for plan in collected.plans for planned in plan.task.cases)
    for model in [*judge.list_judge_models(cases, model=judges.model, rubric=judges.rubric), judges.model]:
        if model:
            words = {"role": "user", "content": "Reply with the word yes."}
            requests.setdefault(("", model), Request(model=model, messages=(words,)))
    answers = []
    for name in sorted({endpoint for endpoint, _ in requests}):
        own = {model: request for (endpoint, model), request in requests.items() if endpoint == name}
        provider = collected.endpoints.get(name, collected.config.provider)
        answers += asyncio.run(_ask_all(own, provider, repo.root, environ))
    return answers


async def _ask_all(
    requests: Mapping[str, Request], options: ProviderOptions, root: Path, environ: Mapping[str, str]
) -> list[ModelAnswer]:
    provider = registry.create_provider(options, environ, root, model_file.cache_home(environ))
    answers = []
    try:
        for model, request in requests.items():
            try:
                completion = await provider.complete(request, replicate=0)
            except (CallError, PromptciError) as error:
                answers.append(ModelAnswer(model=model, ok=False, text=error.message))
            else:
                by = f" by {completion.model}" if completion.model and completion.model != model else ""
                text = f"answered in {formatting.duration(completion.latency_ms)}{by}"
                answers.append(ModelAnswer(model=model, ok=True, text=text))
    finally:
        await provider.aclose()
    return answers
