"""What a run would cost, before anything is asked."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from promptci.lazy_dataclass import dataclass
from promptci.providers import prices
from promptci.providers.base import Request, Usage, count_images, read_text
from promptci.runs.model import Question

DEFAULT_OUTPUT_TOKENS = 1024
"""Taken for the longest answer where the prompt sets no `max_tokens`."""
TOKENS_PER_IMAGE = 1600
"""What a large picture costs with most models; gpt-4o-mini counts up to thirty times as many."""
TOKENS_PER_MESSAGE = 4
"""Role and separators."""

Price = Callable[[str, Usage, str], Decimal | None]
"""Price of so many tokens of a model at an endpoint in USD; None where it is unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEstimate:
    """Upper bounds, by the estimate of four characters a token and the longest answers allowed."""

    prompts: int
    cases: int
    calls: int
    """Questions, both versions and all replicates."""
    distinct_calls: int
    """Calls really made: where both versions ask the same, one answer serves both."""
    input_tokens: int
    output_tokens: int
    usd: Decimal | None
    """None where no model's price is known."""
    usd_is_lower_bound: bool
    """Some model's price is unknown, so that the run costs more than `usd`."""


def estimate_max_usage(request: Request) -> Usage:
    """RunEstimate the most that one call may use: its messages, and the longest answer its parameters allow."""
    if request.kind == "embedding":  # nothing is written, and no roles are read
        return Usage(input_tokens=prices.estimate_tokens(request.messages[-1]["content"]), output_tokens=0)
    read = sum(
        prices.estimate_tokens(read_text(message)) + TOKENS_PER_MESSAGE + TOKENS_PER_IMAGE * count_images(message)
        for message in request.messages
    )
    return Usage(input_tokens=read, output_tokens=_longest_output(request))


def estimate_questions(questions: Sequence[Question], price: Price) -> RunEstimate:
    """RunEstimate the cost of asking `questions` without a cache."""
    distinct = list(_distinct(questions))
    usages = [estimate_max_usage(request) for request in distinct]
    costs = [price(request.model, usage, request.endpoint) for request, usage in zip(distinct, usages, strict=True)]
    known = [cost for cost in costs if cost is not None]
    return RunEstimate(
        prompts=len({question.prompt for question in questions}),
        cases=len({(question.prompt, question.case_id) for question in questions}),
        calls=len(questions),
        distinct_calls=len(distinct),
        input_tokens=sum(usage.input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        usd=sum(known, Decimal(0)) if known or not costs else None,
        usd_is_lower_bound=len(known) < len(costs),
    )


def describe_price(total: RunEstimate) -> str:
    """Return what an estimate costs, in words that stand alone."""
    return "price unknown" if total.usd is None else describe_amount(total)


def describe_amount(total: RunEstimate) -> str:
    """Return what an estimate costs, behind the word `price`."""
    if total.usd is None:
        return "unknown"
    if total.usd_is_lower_bound:
        return f"at least ${total.usd:.4f} (the price of some model is unknown)"
    return f"at most ${total.usd:.4f}"


def _longest_output(request: Request) -> int:
    for name in ("max_completion_tokens", "max_tokens"):
        limit = request.parameters.get(name)
        if type(limit) is int and limit > 0:
            return limit
    return DEFAULT_OUTPUT_TOKENS


def _distinct(questions: Iterable[Question]) -> Iterable[Request]:
    return {(question.request.key, question.replicate): question.request for question in questions}.values()
