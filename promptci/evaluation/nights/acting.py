"""Act on a night: the audit log, one issue for each prompt, and what the configuration wants done about a drift."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from promptci.app.audit_actor import find_actor
from promptci.audit import log
from promptci.audit.entry import DeployedShare
from promptci.drift.chart import NIGHTS_TO_CLOSE
from promptci.drift.facts import EarlierVersion
from promptci.drift.night import DriftVerdict
from promptci.errors import PromptciError
from promptci.evaluation.nights import causes
from promptci.evaluation.nights.affected import count_affected
from promptci.evaluation.nights.goldens_run import AskedPrompt, Asker, mark_of
from promptci.evaluation.nights.night_records import StoredAnswer
from promptci.evaluation.nights.results import PromptNight
from promptci.evaluation.nights.watched import WatchedPrompt, with_prompt
from promptci.findings import MessageFacts, remark
from promptci.git.data_branch import BranchFiles, DataBranch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.environment import Environment
from promptci.present.escape import fence, prose
from promptci.present.night_chart import draw_nights
from promptci.publish.github.issues import connect_tracker
from promptci.redact import Redactor
from promptci.registry import tags
from promptci.registry.released_prompt import VersionReader
from promptci.rollout.deployment import shorten_version
from promptci.wording import short_digest

MAX_REASON_CHARS = 500
Act = Callable[[str, str, str, str], str]
"""Takes prompt, version, environment and reason; returns what was done, in words."""


def _refuse(*_: str) -> str:
    return "Nothing was done: this run may not change deployments."


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftActions:
    """How deployments are changed."""

    roll_back: Act = _refuse
    start_canary: Act = _refuse
    logs: tuple[str, ...] = ()
    """Request log in which the affected requests are counted: paths and globs."""


def record_decisions(branch: DataBranch, nights: Sequence[PromptNight], env: Environment, root: Path) -> None:
    """Add to the audit log which drifts began and ended, and which references were reset."""
    entries = [entry for night in nights for entry in _list_entries(night)]
    if not entries:
        return

    def find_entries(_: BranchFiles) -> Sequence[Mapping[str, object]]:
        return entries

    log.append_entries(branch, find_entries, now=env.now(), by=find_actor(root, env.environ))


def _list_entries(night: PromptNight) -> list[Mapping[str, object]]:
    line = night.line
    if line is None:
        return []
    common: dict[str, object] = {
        "prompt": night.name,
        "to": DeployedShare(version=line.version, fingerprint=line.fingerprint, share=100),
        "goldens": line.goldens,
    }
    reason = night.texts[0][:MAX_REASON_CHARS] if night.findings else ""
    entries: list[Mapping[str, object]] = []
    if night.before is not None and line.reference != night.before.reference and line.reference:
        change = f"the reference is now {short_digest(line.reference)}"
        entries.append({"what": "reference-reset", "why": change, **common})
    if night.is_opened:
        entries.append({"what": "drift-opened", "verdict": night.verdict.value, "why": reason, **common})
    elif night.is_closed:
        entries.append({"what": "drift-closed", "verdict": night.verdict.value, "why": reason, **common})
    return entries


def update_issues(nights: Sequence[PromptNight], env: Environment, redactor: Redactor) -> None:
    """Open, update and close the issue of each prompt; what GitHub refuses is printed and stops nothing."""
    with_issue = [night for night in nights if night.line is not None and (night.line.since or night.is_closed)]
    if not with_issue:
        return
    with connect_tracker(env.environ, labels=("promptci-drift",)) as tracker:
        if tracker is None:
            return
        for night in with_issue:
            key = f"drift/{night.name}"
            try:
                if night.is_closed:
                    tracker.close(key, redactor.redact(_closing_words(night)))
                else:
                    title = f"promptci drift: {night.name} answers worse"
                    night.issue = tracker.open_or_update(key, title, redactor.redact(render_issue(night)))
            except PromptciError as error:
                env.print(f"warning: the issue of {night.name} could not be written: {error}")


def _closing_words(night: PromptNight) -> str:
    if night.verdict is DriftVerdict.STEADY:
        return f"{NIGHTS_TO_CLOSE} steady nights in a row. {prose(night.texts[0])}"
    return f"The reference was reset. {prose(night.texts[0])}"


def render_issue(night: PromptNight) -> str:
    """Return the text of an issue, as Markdown."""
    line = night.line
    since = line.since if line is not None else None
    chart = draw_nights([*night.earlier, *([line] if line is not None else [])])
    facts = [f"- {prose(text)}" for text in night.texts]
    steps = [
        "Look at what the model answers now: `promptci run`.",
        "Go back, or change the prompt in a pull request.",
        "If this is how it shall be: `promptci drift --freeze` makes a new reference, which a review puts into force.",
    ]
    return "\n".join(
        [
            f"**{prose(night.name)} {prose(night.version)}** answers its goldens worse since {since}.",
            "",
            *facts,
            "",
            fence(chart),
            "",
            *(f"{number}. {step}" for number, step in enumerate(steps, start=1)),
            "",
            f"This issue closes itself after {NIGHTS_TO_CLOSE} steady nights.",
        ]
    )


def respond(nights: Sequence[PromptNight], asker: Asker, actions: DriftActions, repo: Repo) -> None:
    """Do what `drift.on_drift` wants about the drifts that began tonight."""
    response = asker.watch.config.drift.on_drift
    environment = asker.watch.environment
    for night in nights:
        if response == "alert" or environment is None or not night.is_opened or night.watched is None:
            continue
        try:
            _respond(night, asker, actions, repo)
        except PromptciError as error:
            night.findings.append(remark("drift-error", night.name, MessageFacts(f"nothing was deployed: {error}")))
        if night.action is not None:
            night.findings.append(remark("drift-affected", night.name, count_affected(night, actions.logs)))


def _respond(night: PromptNight, asker: Asker, actions: DriftActions, repo: Repo) -> None:
    environment, prompt = asker.watch.environment, night.watched
    if environment is None or prompt is None:
        return
    earlier = causes.find_earlier_version(repo, asker.head, environment, night.name)
    if earlier is None:
        night.findings.append(remark("drift-no-earlier", night.name, EarlierVersion(version="")))
        return
    version = shorten_version(night.name, earlier)
    reason = f"drift: {night.texts[0]}"[:MAX_REASON_CHARS]
    if asker.watch.config.drift.on_drift == "canary":
        night.action = actions.start_canary(night.name, version, environment, reason)
        return
    reader = VersionReader(repo, tags.list_releases(repo.root), asker.config_path)
    other = with_prompt(prompt, reader.find(night.name, earlier).prompt, version)
    comparison = causes.compare_versions(asker, other, night.means)
    if comparison is None:
        night.findings.append(remark("drift-earlier-silent", night.name, EarlierVersion(version=version)))
        return
    now, quality, p = comparison
    facts = EarlierVersion(version=version, quality=quality, now=now, p=p)
    if p > causes.ALPHA:
        night.findings.append(remark("drift-earlier-no-better", night.name, facts))
        return
    night.findings.append(remark("drift-earlier-better", night.name, facts))
    night.action = actions.roll_back(night.name, version, environment, reason)


def store_answers(prompt: WatchedPrompt, asked: AskedPrompt, day: str, redactor: Redactor) -> list[StoredAnswer]:
    """Return the answers of a night as they are stored."""
    stored = []
    for scored in asked.scored:
        mark = mark_of(scored)
        if mark is not None and scored.text is not None:
            stored.append(
                StoredAnswer(
                    prompt=prompt.name,
                    case=scored.case.id,
                    text=redactor.redact(scored.text),
                    mark=mark,
                    goldens=prompt.goldens,
                    judge=prompt.judge,
                    day=day,
                )
            )
    return stored
