"""Watch one night: ask deployed prompts their goldens, compare with the reference, look for causes, and act."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import field, replace
from pathlib import Path

from promptci.drift.chart import ChartState, Reading, build_chart
from promptci.drift.facts import AskedAgain, RefusedAnswers, RejudgedAnswers
from promptci.drift.night import DriftVerdict
from promptci.drift.reference import ReferenceDocument
from promptci.errors import PromptciError
from promptci.evaluation.nights import acting, causes, conclusions, night_records, results
from promptci.evaluation.nights.acting import DriftActions
from promptci.evaluation.nights.conclusions import Obstacle
from promptci.evaluation.nights.goldens_run import AskedPrompt, Asker
from promptci.evaluation.nights.night_records import Nights, StoredAnswer
from promptci.evaluation.nights.results import DriftDocument, PromptNight
from promptci.evaluation.nights.watched import Watch, WatchedPrompt, collect_watch
from promptci.findings import MessageFacts, remark
from promptci.git.data_branch import BranchFiles, DataBranch, find_branch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.environment import Environment
from promptci.pipeline.plan import planning
from promptci.present.finding_text.describe import describe
from promptci.wording import count

NOT_ASKED = AskedPrompt(scored=())


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftRequest:
    """What is watched."""

    root: Path
    config_path: str = "promptci.yml"
    environment: str | None = None
    prompts: tuple[str, ...] = ()
    rejudge: bool = False
    """Grade stored answers again, whether an alarm is due or not."""
    at_once: bool = False
    """Never wait for a batch, whatever `run.batch` says."""
    remote: str = "origin"
    dry_run: bool = False
    actions: DriftActions = field(default_factory=DriftActions)


def watch_night(request: DriftRequest, env: Environment) -> DriftDocument:
    """Watch every deployed prompt once.

    Raises
    ------
    UsageError, ConfigError, InputError, GitError
        Where files of the repository, or the history branch, cannot be read or written.
    """
    repo = Repo.discover(request.root)
    branch = find_branch(repo.root, request.remote)
    at = env.timestamp()
    with closing(repo.snapshot(repo.resolve("HEAD"))) as head:
        watch = collect_watch(repo, head, request.config_path, request.environment).select(request.prompts)
        asker = Asker(root=request.root, config_path=request.config_path, watch=watch, head=head, env=env)
        redactor = env.redactor(*watch.config.secret_names)
        if request.dry_run:
            _print_plan(asker)
            planned = bool(watch.prompts or watch.broken)
            return results.build_document(at, watch.environment, (), dry_run=True, redactor=redactor, planned=planned)
        files = branch.fetch()
        watcher = _Watcher(request=request, asker=asker, files=files, at=at)
        nights = watcher.watch_all()
        _keep(branch, watch, nights, watcher.answers)
        acting.record_decisions(branch, nights, env, repo.root)
        acting.update_issues(nights, env, redactor)
        acting.respond(nights, asker, request.actions, repo)
    return results.build_document(at, watch.environment, nights, dry_run=False, redactor=redactor)


def _print_plan(asker: Asker) -> None:
    watch = asker.watch
    for prompt in watch.prompts:
        asker.env.print(f"{prompt.name} {prompt.version}: {count(len(prompt.weights), 'case')}")
    for name, reason in watch.broken.items():
        asker.env.print(f"{name}: {reason}")
    obstacles = {prompt.name: conclusions.find_obstacle(asker.head, prompt) for prompt in watch.prompts}
    for name, obstacle in obstacles.items():
        if obstacle is not None:
            asker.env.print(f"{name}: not asked, {describe(remark(obstacle.rule, name, obstacle.facts)).text}")
    asked = [prompt for prompt in watch.prompts if obstacles[prompt.name] is None]
    if asked:
        for line in planning.describe(asker.plan(asked, 1), watch.collected):
            asker.env.print(line)


def _keep(branch: DataBranch, watch: Watch, nights: list[PromptNight], answers: list[StoredAnswer]) -> None:
    """Write the night's lines and, where they are kept, its answers."""
    lines = [night.line for night in nights if night.line is not None]
    if not lines:
        return
    kept = answers if watch.config.drift.keep_answers else []
    today = night_records.parse_day(lines[0].day)
    branch.append(lambda files: night_records.write_nights(files, lines, kept, today), f"Add the night of {today}")


@dataclass(kw_only=True, slots=True)
class _Watcher:
    request: DriftRequest
    asker: Asker
    files: BranchFiles
    at: str
    answers: list[StoredAnswer] = field(default_factory=list)
    """Of this night."""

    @property
    def day(self) -> str:
        return self.at[:10]

    def watch_all(self) -> list[PromptNight]:
        """Return the night of every watched prompt."""
        watch = self.asker.watch
        history = night_records.load_nights(self.files)
        scope = None if self.request.at_once else f"night {self.day}"
        obstacles = {prompt.name: conclusions.find_obstacle(self.asker.head, prompt) for prompt in watch.prompts}
        comparable = [prompt for prompt in watch.prompts if obstacles[prompt.name] is None]
        asked = self.asker.ask(comparable, batch_scope=scope) if comparable else {}
        nights = [
            self._watch(
                prompt,
                asked.get(prompt.name, NOT_ASKED),
                history.get(prompt.name, Nights(lines=())),
                obstacles[prompt.name],
            )
            for prompt in watch.prompts
        ]
        return [*nights, *(conclusions.report_broken(name, reason) for name, reason in watch.broken.items())]

    def _watch(
        self, prompt: WatchedPrompt, asked: AskedPrompt, nights: Nights, obstacle: Obstacle | None
    ) -> PromptNight:
        night = PromptNight(
            name=prompt.name, version=prompt.version, verdict=DriftVerdict.ERROR, watched=prompt, earlier=nights.lines
        )
        reference, digest, _ = conclusions.load_reference(self.asker.head, prompt.name)
        state = nights.state(digest or "", self.day)
        night.line = conclusions.begin_line(prompt, asked, digest, state, self.at).model_copy(
            update={"run": self.asker.env.environ.get("GITHUB_RUN_ID") or None}
        )
        if gap := nights.find_gap(self.day):
            night.findings.append(remark("drift-missed-nights", prompt.name, gap))
        if obstacle is not None or reference is None:
            verdict, rule, facts = obstacle or conclusions.NO_REFERENCE
            return conclusions.conclude(night, verdict, rule, facts)
        if asked.refusals:
            refused = RefusedAnswers(refusals=asked.refusals, answers=len(asked.answers))
            night.findings.append(remark("drift-refusals", prompt.name, refused))
        if outage := conclusions.find_outage(asked, self.asker.watch.config.gate.max_error_rate):
            return conclusions.conclude_outage(night, asked, outage)
        seen = conclusions.find_new_models(asked, reference, nights, self.day)
        night.findings += [remark("drift-models", prompt.name, facts) for facts in seen]
        return self._compare(night, asked, reference, state)

    def _compare(
        self, night: PromptNight, asked: AskedPrompt, reference: ReferenceDocument, state: ChartState
    ) -> PromptNight:
        prompt, line = night.watched, night.line
        assert prompt is not None and line is not None  # noqa: S101, PT018 - both were set above
        chart = build_chart(reference, prompt.weights, self.asker.watch.alarms_per_year)
        reading = None if chart is None else chart.read(asked.means, state)
        if chart is None or reading is None:
            return conclusions.conclude(
                night, DriftVerdict.ERROR, "drift-error", MessageFacts("no case has a mark to compare")
            )
        means = asked.means
        if reading.alarm is not None and state.since is None:
            means = causes.ask_again(self.asker, prompt, asked.marks)
            pooled = chart.read(means, state) or reading
            rule = "drift-confirmed" if pooled.alarm else "drift-not-confirmed"
            facts = AskedAgain(first=reading.quality, pooled=pooled.quality)
            night.findings.append(remark(rule, night.name, facts))
            reading = pooled
        night.means = dict(means)
        line = line.model_copy(
            update={"quality": reading.quality, "drop": reading.drop, "h": chart.limit,
                    "changed": conclusions.count_changed(chart.means, means)}
        )  # fmt: skip
        moved = self._look_for_causes(night, prompt, means, reading)
        if moved:
            night.line = line
            return conclusions.conclude(night, DriftVerdict.JUDGE_MOVED, "drift-judge-moved", moved)
        after, verdict = chart.advance(state, reading, self.day)
        night.line = line.model_copy(
            update={"cusum": after.total, "since": after.since, "steady": after.steady, "verdict": verdict}
        )
        if verdict is not DriftVerdict.DRIFT:
            self._remember_answers(prompt, asked)
        facts_now = conclusions.describe_reading(chart, reading, reference, replace(after, total=reading.total), means)
        return conclusions.conclude(night, verdict, conclusions.choose_rule(verdict, reading), facts_now)

    def _look_for_causes(
        self, night: PromptNight, prompt: WatchedPrompt, means: Mapping[str, float], reading: Reading
    ) -> RejudgedAnswers | None:
        """Add what is known about causes; return the judge's answers where it is the judge that moved."""
        if reading.alarm is None and not self.request.rejudge:
            return None
        try:
            stored = night_records.load_answers(self.files, prompt.name, prompt.goldens, prompt.judge)
            judged = causes.rejudge(self.asker, prompt, stored)
            if judged is not None and causes.is_judge_moved(judged, max(reading.drop, 0.0)):
                return judged
            if judged is not None:
                night.findings.append(remark("drift-judge-same", prompt.name, judged))
            pinned = causes.ask_pinned(self.asker, prompt, means) if reading.alarm else None
        except PromptciError as error:
            night.findings.append(remark("drift-error", prompt.name, MessageFacts(str(error))))
            return None
        if pinned is not None:
            rule = "drift-pinned-holds" if pinned.p <= causes.ALPHA else "drift-pinned-too"
            night.findings.append(remark(rule, prompt.name, pinned))
        return None

    def _remember_answers(self, prompt: WatchedPrompt, asked: AskedPrompt) -> None:
        if not self.asker.watch.config.drift.keep_answers:
            return
        redactor = self.asker.env.redactor(*self.asker.watch.config.secret_names)
        self.answers += acting.store_answers(prompt, asked, self.day, redactor)
