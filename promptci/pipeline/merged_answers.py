"""Answers and errors of the shards of a run, used instead of asking."""

from promptci.errors import InputError, Problem, ProviderError
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import CallError, Completion, Provider
from promptci.providers.replay import ReplayProvider
from promptci.runs.execute import QuestionKey
from promptci.runs.model import Answer, AnswerError

_AGAIN = "Run the shards and the merge over the same commits, with the same version of promptci."


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """The rows of all shards of one run."""

    plan: str
    """Fingerprint of the plan that was split."""
    provider: str
    """Name of the provider in the report."""
    answers: tuple[Answer, ...] = ()
    """In the order of the shards."""
    notes: tuple[str, ...] = ()

    def known(self, plan: str) -> dict[QuestionKey, Answer]:
        """Return the answers by question; raise InputError if the shards had another plan than this one."""
        if plan != self.plan:
            message = "the shards were planned over other prompts, goldens or configuration than stand here"
            raise InputError([Problem(path="shard.json", message=message, hint=_AGAIN)])
        return {answer.key: answer for answer in self.answers if answer.completion is not None}

    def over(self, provider: Provider | ProviderError) -> Provider:
        """Return a provider that replays the shards' answers and errors, and asks `provider` what no shard asked.

        The judge's probes are such calls: no shard makes them.
        """
        known = {(answer.request_key, answer.replicate): _outcome(answer) for answer in self.answers}
        if not isinstance(provider, ProviderError):
            return ReplayProvider(known, provider, name=self.provider)
        message = f"no shard asked this, and it cannot be asked here: {provider}"
        return ReplayProvider(known, name=self.provider, missing=lambda *_: message)


def _outcome(answer: Answer) -> Completion | CallError:
    if answer.completion is not None:
        return answer.completion
    error = answer.error or AnswerError(kind="malformed", message="the shard holds neither an answer nor an error")
    return CallError(error.kind, error.message, caused_by_request=error.caused_by_request, sent=error.sent)
