"""The same cases as an inspect_ai task, run by its Python function."""

import sys

import goldens
from inspect_ai import Task, eval  # noqa: A004 - its own name
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


def main(folder: str, concurrency: int, logs: str) -> None:
    """Ask every case of a folder's JSONL files; the endpoint stands in BENCH_BASE_URL."""
    cases = goldens.read(folder)
    samples = [Sample(id=case["id"], input=case["vars"]["text"], target=case["expected"]) for case in cases]
    task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=includes())
    (log,) = eval(
        task,
        model="openai-api/bench/bench",
        max_connections=concurrency,
        max_samples=concurrency,
        display="none",
        log_dir=logs,
    )
    if log.status != "success" or log.results is None or log.results.scores[0].metrics["accuracy"].value != 1:
        sys.exit(f"{log.status}: {log.error}")


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
