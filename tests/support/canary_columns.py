"""Traffic of a canary drawn as columns at once: for simulations that need many canaries."""

import numpy as np
from support.canary_traffic import CANARY, PROMPT, STABLE, START

from promptci.requestlog.columns import NO_POINT, NO_TEXT, RequestColumns, Texts, microseconds


def draw_columns(
    draw: np.random.Generator, n: int, *, hours: float, share: float, before: float, after: float
) -> RequestColumns:
    """`n` requests, each of another user, evenly over `hours` from START on."""
    texts = Texts()
    numbers = [texts.number_of(text) for text in (STABLE, CANARY, PROMPT)]
    is_canary = draw.random(n) < share / 100
    time = microseconds(START) + (np.arange(n) * hours * 3600e6 / n).astype("i8")
    return RequestColumns(
        texts=texts,
        id=np.arange(n, dtype="u8"),
        time=time,
        prompt=np.full(n, numbers[2], "i4"),
        version=np.where(is_canary, numbers[1], numbers[0]).astype("i4"),
        arm=is_canary.astype("i1"),
        share=np.full(n, share, "f8"),
        user=np.arange(n, dtype="u8") * 2 + 2,
        point=np.full(n, NO_POINT, "i8"),
        failed=draw.random(n) < 0.01,
        latency_ms=draw.lognormal(6.5, 0.4, n),
        cost_usd=draw.uniform(0.001, 0.003, n),
        quality=(draw.random(n) < np.where(is_canary, after, before)).astype("f8"),
        scored=time,
        signal=np.zeros(n, "i1"),
        signalled=time,
        model=np.full(n, NO_TEXT, "i4"),
        response_model=np.full(n, NO_TEXT, "i4"),
        output_tokens=np.full(n, np.nan),
    )
