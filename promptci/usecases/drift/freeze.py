"""Collect a reference over several nights, so that no single hour becomes what later nights are measured by."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from promptci.drift.chart import CLIFF_SHARE, FIRST_READINGS
from promptci.drift.facts import ChangedTests, ReferenceProgress
from promptci.drift.night import DriftVerdict
from promptci.drift.probe import merge_probe
from promptci.drift.reference import ANSWERS_PER_NIGHT, COMPLETE_ANSWERS, ReferenceDocument, reference_path
from promptci.errors import InputError, PromptciError
from promptci.evaluation.nights import acting, conclusions, night_records, probe_run, results
from promptci.evaluation.nights.goldens_run import AskedPrompt, Asker
from promptci.evaluation.nights.night_records import StoredAnswer
from promptci.evaluation.nights.results import DriftDocument, PromptNight
from promptci.evaluation.nights.watched import Watch, WatchedPrompt, collect_watch
from promptci.files import write
from promptci.findings import MessageFacts, remark
from promptci.git.data_branch import find_branch
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.environment import Environment
from promptci.pipeline.plan import planning
from promptci.stats.control_charts import cusum
from promptci.stats.control_charts.night_noise import estimate_noise


@dataclass(frozen=True, kw_only=True, slots=True)
class FreezeRequest:
    """Which references are to grow."""

    root: Path
    config_path: str = "promptci.yml"
    environment: str | None = None
    prompts: tuple[str, ...] = ()
    remote: str = "origin"
    dry_run: bool = False


def freeze(request: FreezeRequest, env: Environment) -> DriftDocument:
    """Ask every case five times and add the answers to the references in the working tree.

    A reference of another prompt version, other goldens or another judge is started again. One that is whole stays as
    it is, and one that already has answers of today gets none.

    Raises
    ------
    UsageError, ConfigError, InputError, GitError
        Where files of the repository cannot be read or written.
    """
    repo = Repo.discover(request.root)
    at = env.timestamp()
    day = at[:10]
    with closing(repo.snapshot(repo.resolve("HEAD"))) as head:
        watch = collect_watch(repo, head, request.config_path, request.environment).select(request.prompts)
        asker = Asker(root=request.root, config_path=request.config_path, watch=watch, head=head, env=env)
        redactor = env.redactor(*watch.config.secret_names)
        freezer = _Freezer(asker=asker, references=_load_references(repo, watch), day=day)
        growing = [prompt for prompt in watch.prompts if freezer.is_growing(prompt)]
        if request.dry_run:
            for line in planning.describe(asker.plan(growing, ANSWERS_PER_NIGHT), watch.collected) if growing else ():
                env.print(line)
            planned = bool(watch.prompts or watch.broken)
            return results.build_document(at, watch.environment, (), dry_run=True, redactor=redactor, planned=planned)
        asked = asker.ask(growing, ANSWERS_PER_NIGHT, batch_scope=f"freeze {day}") if growing else {}
        nights = [freezer.freeze(prompt, asked.get(prompt.name)) for prompt in watch.prompts]
        nights += [conclusions.report_broken(name, reason) for name, reason in watch.broken.items()]
        for path, document in freezer.documents.items():
            write.write_text(repo.root / path, document.dump())
        answers: list[StoredAnswer] = []
        for prompt in growing if watch.config.drift.keep_answers else ():
            answers += acting.store_answers(prompt, asked[prompt.name], day, redactor)
        if answers:
            branch, today = find_branch(repo.root, request.remote), night_records.parse_day(day)
            branch.append(
                lambda files: night_records.write_nights(files, (), answers, today), f"Keep the answers of {day}"
            )
    return results.build_document(at, watch.environment, nights, dry_run=False, redactor=redactor)


@dataclass(frozen=True, kw_only=True, slots=True)
class _References:
    known: Mapping[str, ReferenceDocument]
    unreadable: Mapping[str, str]
    """By prompt, what is wrong: such a file is not written over, and stops no other prompt."""


def _load_references(repo: Repo, watch: Watch) -> _References:
    """Return the references of the working tree."""
    files = repo.snapshot(WORK_TREE)
    known: dict[str, ReferenceDocument] = {}
    unreadable: dict[str, str] = {}
    for prompt in watch.prompts:
        path = reference_path(prompt.name)
        try:
            if (data := files.read(path)) is not None:
                known[prompt.name] = ReferenceDocument.parse(data, path)
        except InputError as error:
            unreadable[prompt.name] = str(error)
    return _References(known=known, unreadable=unreadable)


class _Freezer:
    """Adds one night's answers to references."""

    def __init__(self, *, asker: Asker, references: _References, day: str) -> None:
        self._asker, self._day = asker, day
        self._known, self._unreadable = references.known, references.unreadable
        self.documents: dict[str, ReferenceDocument] = {}
        """New contents, by path."""

    def is_growing(self, prompt: WatchedPrompt) -> bool:
        """Return whether a prompt's reference gets answers today."""
        before = self._comparable(prompt)
        if prompt.name in self._unreadable:
            return False
        return before is None or (not before.is_complete and self._day not in before.nights)

    def freeze(self, prompt: WatchedPrompt, asked: AskedPrompt | None) -> PromptNight:
        """Return what became of a prompt's reference."""
        night = PromptNight(name=prompt.name, version=prompt.version, verdict=DriftVerdict.LEARNING, watched=prompt)
        path, before = reference_path(prompt.name), self._comparable(prompt)
        if problem := self._unreadable.get(prompt.name):
            return conclusions.conclude(night, DriftVerdict.ERROR, "drift-error", MessageFacts(problem))
        if asked is None:
            answers = before.answers if before is not None else 0
            progress = ReferenceProgress(answers=answers, path=path, added=0)
            if before is not None and before.is_complete:
                return conclusions.conclude(night, DriftVerdict.STEADY, "drift-frozen-whole", progress)
            return conclusions.conclude(night, DriftVerdict.LEARNING, "drift-frozen", progress)
        if outage := conclusions.find_outage(asked, self._asker.watch.config.gate.max_error_rate):
            return conclusions.conclude_outage(night, asked, outage)
        try:
            document = self._grow(prompt, asked, before)
        except PromptciError as error:
            return conclusions.conclude(night, DriftVerdict.ERROR, "drift-error", MessageFacts(str(error)))
        self.documents[path] = document
        if (old := self._known.get(prompt.name)) is not None and before is None:
            changed = ChangedTests(changes=conclusions.find_changes(old, prompt), frozen=old.frozen)
            night.findings.append(remark("drift-not-comparable", prompt.name, changed))
        verdict = DriftVerdict.STEADY if document.is_complete else DriftVerdict.LEARNING
        progress = ReferenceProgress(answers=document.answers, path=path, added=ANSWERS_PER_NIGHT)
        return conclusions.conclude(night, verdict, "drift-frozen", progress)

    def _comparable(self, prompt: WatchedPrompt) -> ReferenceDocument | None:
        reference = self._known.get(prompt.name)
        return None if reference is None or conclusions.find_changes(reference, prompt) else reference

    def _grow(self, prompt: WatchedPrompt, asked: AskedPrompt, before: ReferenceDocument | None) -> ReferenceDocument:
        cases: dict[str, tuple[float, float]] = {}
        marks = asked.marks
        for case in prompt.weights:
            passed, failed = before.cases.get(case, (0.0, 0.0)) if before else (0.0, 0.0)
            new = marks.get(case, [])
            if passed + failed + len(new) > 0:
                cases[case] = (round(passed + sum(new), 6), round(failed + len(new) - sum(new), 6))
        answers = (before.answers if before else 0) + ANSWERS_PER_NIGHT
        budget = self._asker.watch.alarms_per_year
        probed = probe_run.ask_probes(self._asker, prompt.prompt.model, dict(prompt.prompt.parameters))
        probe = before.probe if before else None
        document = ReferenceDocument(
            prompt=prompt.name,
            version=prompt.version,
            fingerprint=prompt.prompt.fingerprint,
            goldens=prompt.goldens,
            judge=prompt.judge,
            model=prompt.prompt.model,
            models=tuple(sorted({*(before.models if before else ()), *asked.seen("model")})),
            nights=(*(before.nights if before else ()), self._day),
            answers=answers,
            cases=cases,
            k=cusum.SLACK,
            h=None,
            alarms_per_year=budget,
            probe=merge_probe(probe, probed.tokens, probed.models) if probed.texts else probe,
        )
        if answers < COMPLETE_ANSWERS:
            return document
        noise = estimate_noise(document.noise_cases(prompt.weights))
        limit = cusum.find_threshold(noise, (1 - CLIFF_SHARE) * FIRST_READINGS * budget)
        return document.model_copy(update={"h": round(limit, 6)})
