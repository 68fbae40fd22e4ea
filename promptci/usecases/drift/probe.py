"""Look every hour, with 20 requests of one token, whether models still are those of their references."""

from contextlib import closing
from pathlib import Path

from promptci.drift.facts import DriftOutage
from promptci.drift.night import DriftVerdict
from promptci.drift.probe import compare_probe, is_different
from promptci.drift.reference import ProbeReference
from promptci.evaluation.nights import conclusions, probe_run, results
from promptci.evaluation.nights.goldens_run import Asker
from promptci.evaluation.nights.probe_run import ProbeAnswers
from promptci.evaluation.nights.results import DriftDocument, PromptNight
from promptci.evaluation.nights.watched import WatchedPrompt, collect_watch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.environment import Environment


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeRequest:
    """What is probed."""

    root: Path
    config_path: str = "promptci.yml"
    environment: str | None = None
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """What the probes showed."""

    document: DriftDocument
    differing: tuple[str, ...]
    """Prompts whose goldens are to be asked now."""


def probe_models(request: ProbeRequest, env: Environment) -> ProbeResult:
    """Ask each model of the watched prompts once, and return the prompts whose model does not answer as before.

    Raises
    ------
    UsageError, ConfigError, InputError, GitError
        Where files of the repository cannot be read.
    """
    repo = Repo.discover(request.root)
    asked: dict[str, ProbeAnswers] = {}
    nights: list[PromptNight] = []
    differing: list[str] = []
    with closing(repo.snapshot(repo.resolve("HEAD"))) as head:
        watch = collect_watch(repo, head, request.config_path, request.environment).select(request.prompts)
        asker = Asker(root=request.root, config_path=request.config_path, watch=watch, head=head, env=env)
        for prompt in watch.prompts:
            model = prompt.prompt.model
            if model not in asked:
                asked[model] = probe_run.ask_probes(asker, model, dict(prompt.prompt.parameters))
            reference, _, _ = conclusions.load_reference(head, prompt.name)
            night = _compare(prompt, asked[model], reference.probe if reference else None)
            nights.append(night)
            if night.verdict is DriftVerdict.NOT_COMPARABLE:
                differing.append(prompt.name)
    nights += [conclusions.report_broken(name, reason) for name, reason in watch.broken.items()]
    redactor = env.redactor(*watch.config.secret_names)
    document = results.build_document(env.timestamp(), watch.environment, nights, dry_run=False, redactor=redactor)
    return ProbeResult(document=document, differing=tuple(differing))


def _compare(prompt: WatchedPrompt, answers: ProbeAnswers, reference: ProbeReference | None) -> PromptNight:
    night = PromptNight(name=prompt.name, version=prompt.version, verdict=DriftVerdict.STEADY, watched=prompt)
    if not answers.texts:
        reason = answers.errors[0] if answers.errors else "no answer"
        facts = DriftOutage(missing=len(answers.errors), asked=len(answers.errors), limit=0.0, reason=reason)
        verdict = DriftVerdict.ERROR if answers.is_our_fault else DriftVerdict.OUTAGE
        return conclusions.conclude(night, verdict, f"drift-{verdict}", facts)
    probed = compare_probe(reference, prompt.prompt.model, answers.tokens, answers.models)
    if is_different(probed):
        return conclusions.conclude(night, DriftVerdict.NOT_COMPARABLE, "drift-probe", probed)
    return conclusions.conclude(night, DriftVerdict.STEADY, "drift-probe-same", probed)
