"""Find the prompts to watch: what an environment runs, with the goldens of the present revision."""

from collections.abc import Sequence
from dataclasses import replace

from promptci.config.find import load_revision_config, require_named_config
from promptci.config.model import Config
from promptci.errors import InputError, PromptciError, UsageError
from promptci.files import canonical
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection import collect, plan_prompt
from promptci.pipeline.collection.collect import Revision
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.pipeline.collection.side_files import rubric
from promptci.pipeline.plan import planning
from promptci.prompts.model import Prompt
from promptci.registry import tags
from promptci.registry.released_prompt import VersionReader, load_prompts_by_name
from promptci.rollout.deployment import shorten_version
from promptci.rollout.deployments import environment_file
from promptci.runs.prompt_plan import PromptPlan, Status
from promptci.scoring.judges import identity
from promptci.wording import short_sha

DEFAULT_ENVIRONMENT = "production"


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedPrompt:
    """One prompt as it runs, and what it is asked."""

    version: str
    plan: PromptPlan
    judge: str
    """Digest of the models and texts that score its answers."""

    @property
    def name(self) -> str:
        """The prompt's name."""
        return self.plan.name

    @property
    def prompt(self) -> Prompt:
        """Its content."""
        prompt = self.plan.change.head
        if prompt is None:
            raise ValueError("a watched prompt is never a deleted one")
        return prompt

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each case, in the order of the goldens."""
        return {p.case.id: p.case.weight for p in self.plan.task.cases if p.excluded_reason is None}

    @property
    def goldens(self) -> str:
        """Digest of the cases, with what decides whether an answer passes."""
        cases = sorted((p.case.id, p.case.digest, p.case.weight) for p in self.plan.task.cases)
        return canonical.digest([list(case) for case in cases])


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """Everything that is watched."""

    environment: str | None
    """None: nothing is deployed, so the prompts of the revision are watched."""
    collected: CollectedRun
    prompts: tuple[WatchedPrompt, ...]
    broken: dict[str, str]
    """Prompts that cannot be watched, and why."""

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.collected.config

    @property
    def alarms_per_year(self) -> float:
        """False alarms a year of one prompt: its part of the repository's budget."""
        return self.config.drift.alarms_per_year / max(len(self.prompts) + len(self.broken), 1)

    def select(self, names: Sequence[str]) -> "Watch":
        """Return the watch of some prompts, all of them without names; the alarm budget stays divided over all.

        Raises
        ------
        UsageError
            For a name that is not watched.
        """
        known = {prompt.name for prompt in self.prompts} | self.broken.keys()
        for name in names:
            if name not in known:
                raise UsageError(f"`{name}` is not watched", f"Watched are: {', '.join(sorted(known)) or 'none'}.")
        if not names:
            return self
        share = self.alarms_per_year * len(set(names))
        drift = replace(self.config.drift, alarms_per_year=share)
        config = replace(self.config, drift=drift)
        return replace(
            self,
            collected=replace(self.collected, config=config),
            prompts=tuple(prompt for prompt in self.prompts if prompt.name in names),
            broken={name: reason for name, reason in self.broken.items() if name in names},
        )


def collect_watch(repo: Repo, head: Snapshot, config_path: str, environment: str | None) -> Watch:
    """Return what is deployed, or the prompts of the revision where nothing is.

    Raises
    ------
    UsageError
        For an environment that is not there, or several of which none is named.
    ConfigError, InputError
        With the mistakes in promptci.yml, a deployment file or the judge's rubric.
    """
    require_named_config([head], config_path)
    config = load_revision_config(head, config_path)
    environment = _choose_environment(head, environment)
    versions, broken = _find_versions(repo, head, config_path, environment)
    builder = _WatchBuilder(head=head, config=config, rubric=rubric.load_rubric(head, config.judge.rubric))
    prompts: list[WatchedPrompt] = []
    for version, prompt in versions:
        try:
            prompts.append(builder.watch(version, prompt))
        except PromptciError as error:
            broken[prompt.name] = str(error)
    judge = replace(config.judge, pairwise=False, probes=0)
    run = replace(config.run, repeats_on_disagreement=None, auto_calls=None, early_stop=False)
    collected = CollectedRun(
        config=replace(config, judge=judge, run=run),
        config_source=config_path,
        plans=tuple(watched.plan for watched in prompts),
        rubric=builder.rubric,
    )
    return _without_mistakes(Watch(environment=environment, collected=collected, prompts=tuple(prompts), broken=broken))


def _without_mistakes(watch: Watch) -> Watch:
    """Move prompts that cannot be asked to the broken ones, so that a mistake in one stops no other."""
    broken = dict(watch.broken)
    for prompt in watch.prompts:
        if mistakes := planning.find_mistakes(prompt.plan, watch.collected):
            broken[prompt.name] = str(InputError(mistakes))
    sound = tuple(prompt for prompt in watch.prompts if prompt.name not in broken)
    collected = replace(watch.collected, plans=tuple(prompt.plan for prompt in sound))
    return replace(watch, collected=collected, prompts=sound, broken=broken)


def _choose_environment(head: Snapshot, environment: str | None) -> str | None:
    known = environment_file.list_environments(head)
    if environment is not None or not known:
        return environment
    if DEFAULT_ENVIRONMENT in known or len(known) == 1:
        return DEFAULT_ENVIRONMENT if DEFAULT_ENVIRONMENT in known else known[0]
    raise UsageError("Several environments are deployed", f"Pass --env one of: {', '.join(known)}.")


def _find_versions(
    repo: Repo, head: Snapshot, config_path: str, environment: str | None
) -> tuple[list[tuple[str, Prompt]], dict[str, str]]:
    """Return the version and content of each prompt, and what is wrong with the others."""
    if environment is None:
        prompts, problems = load_prompts_by_name(head, config_path)
        label = short_sha(head.sha)
        return [(label, prompt) for prompt in prompts.values()], {p.path: str(p) for p in problems}
    reader = VersionReader(repo, tags.list_releases(repo.root), config_path)
    versions: list[tuple[str, Prompt]] = []
    broken: dict[str, str] = {}
    for deployed in environment_file.load_environment(head, environment).deployment.prompts:
        try:
            named = reader.find(deployed.prompt, deployed.stable)
        except PromptciError as error:
            broken[deployed.prompt] = str(error)
        else:
            versions.append((shorten_version(deployed.prompt, deployed.stable), named.prompt))
    return versions, broken


@dataclass(frozen=True, kw_only=True, slots=True)
class _WatchBuilder:
    head: Snapshot
    config: Config
    rubric: str | None

    def watch(self, version: str, prompt: Prompt) -> WatchedPrompt:
        """Return a prompt with its goldens; raises for goldens that are missing or cannot be read."""
        revision = Revision(snapshot=self.head, config=self.config)
        goldens = collect.load_golden_set(revision, prompt, collect.find_goldens(revision, prompt))
        if not goldens.cases:
            raise UsageError(f"`{prompt.name}` has no goldens", f"Add {self.config.prompts.goldens}.")
        both = PromptVersion(prompt=prompt, goldens=goldens)
        plan = plan_prompt.plan_prompt(prompt.name, prompt.path, Status.ADDED, None, both, ["watched"])
        judge = self.config.judge
        scorers = identity.describe_scorers(
            (planned.case for planned in plan.task.cases),
            model=judge.model,
            rubric=self.rubric,
            embedding_model=judge.embedding_model,
        )
        return WatchedPrompt(version=version, plan=plan, judge=canonical.digest(scorers))


def with_prompt(watched: WatchedPrompt, prompt: Prompt, version: str) -> WatchedPrompt:
    """Return another version of a prompt with the same cases."""
    change = replace(watched.plan.change, head=prompt)
    return replace(watched, version=version, plan=replace(watched.plan, change=change))
