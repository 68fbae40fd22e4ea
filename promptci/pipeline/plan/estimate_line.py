"""The estimate before a run, on one line: one figure that is sure to be asked, and one for the most there can be."""

from decimal import Decimal

from promptci.lazy_dataclass import dataclass
from promptci.runs.estimate import RunEstimate, describe_amount, describe_price

FREE = "free, the model runs here"


@dataclass(frozen=True, kw_only=True, slots=True)
class EstimateParts:
    """What a run asks, and what may follow."""

    asked: RunEstimate
    """The first answers to every case."""
    judged: RunEstimate | None
    """The judge calls about these; None: nothing is judged."""
    again: RunEstimate
    """Answers that are asked for only where the first ones call for it."""
    judged_again: RunEstimate | None
    explained: RunEstimate | None
    """The explanation of a failure; None: there is none."""

    def describe(self, when_again: str, *, is_free: bool) -> str:
        """Return the line; `when_again` is when there are further answers, and `is_free` of models without a price."""
        first, follow_ups = add_estimates(self.asked, self.judged), add_estimates(self.again, self.judged_again)
        judges = f", {self.judged.distinct_calls} of them the judge's" if self.judged is not None else ""
        sure = f"{first.distinct_calls} calls{judges}"
        further = [f"{follow_ups.distinct_calls} {when_again}"] if follow_ups.distinct_calls else []
        if self.explained is not None:
            further.append(f"{self.explained.distinct_calls} to explain a failure")
        total = add_estimates(first, follow_ups, self.explained)
        price = FREE if is_free else describe_price(first)
        line = f"estimate: {sure}, {price} (cache hits not deducted)"
        if not further:
            return line
        most = "" if is_free or total.usd is None else f", {describe_amount(total)}"
        return f"{line}; with what may follow {total.distinct_calls} calls{most}: {' and '.join(further)}"


def add_estimates(*parts: RunEstimate | None) -> RunEstimate:
    """Return the sum of some estimates of one run; what is not asked counts nothing."""
    known = [part for part in parts if part is not None]
    amounts = [part.usd for part in known if part.usd is not None and part.distinct_calls]
    asked = [part for part in known if part.distinct_calls]
    return RunEstimate(
        prompts=max(part.prompts for part in known),
        cases=max(part.cases for part in known),
        calls=sum(part.calls for part in known),
        distinct_calls=sum(part.distinct_calls for part in known),
        input_tokens=sum(part.input_tokens for part in known),
        output_tokens=sum(part.output_tokens for part in known),
        usd=sum(amounts, Decimal(0)) if amounts or not asked else None,
        usd_is_lower_bound=any(part.usd_is_lower_bound or part.usd is None for part in asked),
    )
