"""Measure how many choices a second the runtime makes, in Python and, where Node is installed, in JavaScript.

    python benchmarks/choices.py [--count 200000] [--rounds 7]

Processor time of one thread; the best round is printed, because other work on the machine only adds time.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from promptci.runtime import Bundle  # noqa: E402 - the checkout's own

PROMPT = "order-extractor"
SCRIPT = """
import { Bundle } from %s;
const prompts = await Bundle.load(%s);
const keys = Array.from({ length: %d }, (_, index) => `account-${index}`);
let best = 0;
for (let round = 0; round < %d; round += 1) {
  const before = process.cpuUsage();
  for (const key of keys) prompts.choose("order-extractor", { key });
  const { user, system } = process.cpuUsage(before);
  best = Math.max(best, keys.length / ((user + system) / 1e6));
}
console.log(best);
"""


def main() -> None:
    """Print both numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    vectors = json.loads((ROOT / "tests" / "data" / "runtime_vectors.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bundle.json")
        path.write_text(json.dumps(vectors["bundle"]), encoding="utf-8")
        print(f"Python: {measure_python(path, arguments.count, arguments.rounds):,.0f} choices/s")
        node = shutil.which("node")
        if node is None:
            print("JavaScript: not measured, node is not installed")
            return
        runtime = json.dumps((ROOT / "javascript" / "promptci-runtime.mjs").as_uri())
        script = SCRIPT % (runtime, json.dumps(str(path)), arguments.count, arguments.rounds)
        command = [node, "--input-type=module", "--eval", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"JavaScript: {float(done.stdout):,.0f} choices/s")


def measure_python(path: Path, count: int, rounds: int) -> float:
    """Return the choices per second of the best round."""
    prompts = Bundle(str(path), refresh=1e9)
    keys = [f"account-{number}" for number in range(count)]
    best = 0.0
    for _ in range(rounds):
        before = time.process_time()
        for key in keys:
            prompts.choose(PROMPT, key)
        best = max(best, count / (time.process_time() - before))
    return best


if __name__ == "__main__":
    main()
