"""Count the calls that promptci does not make, and compare what it reports as their price.

    python benchmarks/money.py [--quick] [--json rows.json]

Every setting is as by default, except that each case is asked once. The endpoint counts its calls.
"""

import json
import shutil
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from endpoint_process import serving
from process_cost import environ, measure
from realistic import run_command
from rows import PartOptions, Row, run_part
from startup import check_command, git

from promptci.providers.base import Usage
from promptci.providers.options import ProviderOptions
from promptci.providers.prices import PriceList

PART = "Money"
COMMAND = "python benchmarks/money.py"
COUNT, QUICK_COUNT = 200, 20
INPUT_TOKENS, OUTPUT_TOKENS = 2_000, 100
CACHED_TOKENS = 1_536
"""Of the input, where the provider has the prompt's first part in its cache: OpenAI counts in steps of 128."""
MODEL = "gpt-4o-mini"
SYSTEM = "You find the number of an order. " * 50


def make_repository(folder: Path, base_url: str, count: int, prompts: int) -> None:
    """Commit equal prompts with equal cases, then a change of the assertions, which changes no request."""
    files = {"promptci.yml": json.dumps({"version": 1, "provider": {"base_url": base_url}, "run": {"repeats": 1}})}
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "{{text}}"}]
    for number in range(prompts):
        files[f"prompts/order{number}.prompt.yml"] = json.dumps({"model": MODEL, "messages": messages})
        files[f"goldens/order{number}.jsonl"] = "".join(f"{json.dumps(_case(case))}\n" for case in range(count))
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    _commit(folder, files, "base")
    changed = "".join(f"{json.dumps({**_case(case), 'assert': [{'type': 'regex'}]})}\n" for case in range(count))
    _commit(folder, {"goldens/order0.jsonl": changed}, "goldens")


def _case(number: int) -> dict[str, object]:
    text = f"Where is order {number}?"
    return {"id": f"c{number}", "vars": {"text": text}, "expected": str(number), "assert": [{"type": "contains"}]}


def _commit(folder: Path, files: dict[str, str], branch: str) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", branch)
    git(folder, "branch", branch)


def count_calls(scratch: Path, count: int, prompts: int, checks: bool = False, runs: int = 1) -> int:
    """Return how many calls the runs of one commit make, or the checks of a change of goldens."""
    folder, out = scratch / "repository", scratch / "out"
    shutil.rmtree(folder, ignore_errors=True)
    totals: dict[str, float] = {}
    with serving(0.02, totals) as base_url:
        make_repository(folder, base_url, count, prompts)
        words = check_command("base", "goldens", out)
        command = [sys.executable, "-m", "promptci", *words] if checks else run_command(folder, out)
        for _ in range(runs):
            measure(command, folder, environ(), exit_codes=(0, 1, 3))
    return int(totals["calls"])


def price_answer(cached_tokens: int) -> Decimal:
    """Return the list price of one answer, as reports have it; what runs on this machine has no list price."""
    usage = Usage(input_tokens=INPUT_TOKENS, output_tokens=OUTPUT_TOKENS, cached_input_tokens=cached_tokens)
    price = PriceList(ProviderOptions()).price_usage(MODEL, usage)
    if price is None:
        raise ValueError(f"{MODEL} has no price")
    return price


def measure_money(options: PartOptions) -> list[Row]:
    """Measure everything."""
    count = QUICK_COUNT if options.quick else COUNT
    with tempfile.TemporaryDirectory(prefix="promptci-bench-") as name:
        scratch = Path(name)
        once = count_calls(scratch, count, 1)
        twice = count_calls(scratch, count, 1, runs=2)
        alike = count_calls(scratch, count, 3)
        golden_check = count_calls(scratch, count, 1, checks=True)
    full_price, cached_price = (1_000 * price_answer(tokens) for tokens in (0, CACHED_TOKENS))
    return [
        _row(f"calls of `run` for {count} cases", once, count, "calls"),
        _row("calls that a second `run` of the same commit adds", twice - once, 0, "calls"),
        _row("calls of three prompts with equal requests, of those of one", alike / once, 1, "×"),
        _row("calls of `check` where only goldens changed, of those of one version", golden_check / once, 1, "×"),
        _row(
            f"price of a call of {INPUT_TOKENS:,} tokens, {CACHED_TOKENS:,} in the provider's cache, of one without",
            float(cached_price / full_price),
            None,
            "×",
            f"${cached_price:.2f} of ${full_price:.2f} for 1,000 answers of {MODEL}",
        ),
    ]


def _row(what: str, measured: float, target: float | None, unit: str, note: str = "") -> Row:
    return Row(part=PART, what=what, measured=measured, target=target, unit=unit, note=note, command=COMMAND)


if __name__ == "__main__":
    run_part(measure_money, __doc__)
