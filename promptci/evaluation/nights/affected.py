"""Count the requests that a drift touched, in the request log of the application."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from promptci.drift.facts import AffectedAnswers
from promptci.drift.night import GREEN
from promptci.errors import InputError, PromptciError
from promptci.evaluation.nights.results import PromptNight
from promptci.requestlog.batch import WantedRequests
from promptci.requestlog.columns import microseconds
from promptci.requestlog.read import expand_patterns, load_log
from promptci.rollout.deployment import shorten_version


def count_affected(night: PromptNight, logs: Sequence[str]) -> AffectedAnswers:
    """Count what the drifting version answered since the last night that was as in the reference.

    A log that cannot be read is a reason and no error: it must not hide what was done about the drift.
    """
    since = _find_start(night)
    unknown = AffectedAnswers(version=night.version, since=f"{since:%Y-%m-%d %H:%M} UTC")
    if not logs:
        return unknown._replace(reason="no request log was named (`--log`)")
    try:
        paths = expand_patterns(logs)
        log = load_log(paths, WantedRequests(since={night.name: microseconds(since)}))
    except PromptciError as error:
        problem = error.problems[0] if isinstance(error, InputError) else error
        return unknown._replace(reason=str(problem))
    if not log.lines:
        return unknown._replace(reason="no file matches `--log`" if not paths else "the request log is empty")
    requests = log.requests_of(night.name)
    names = requests.texts.values
    short = np.array([shorten_version(night.name, name) == night.version for name in names], bool)
    served = requests.select(short[requests.version]) if len(requests) else requests
    return unknown._replace(requests=len(served), users=served.count_users())


def _find_start(night: PromptNight) -> datetime:
    """Return the time of the last green night; without one, the begin of the night on which the drift was found."""
    green = [line.at for line in night.earlier if line.verdict in GREEN]
    at = green[-1] if green else night.line.day if night.line is not None else ""
    moment = datetime.fromisoformat(at)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
