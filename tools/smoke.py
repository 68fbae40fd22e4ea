"""Try the installed promptci on this system, without network: a good prompt passes and is released, a bad one fails.

CI runs it where the tests do not run: on macOS and Windows. It needs git, and nothing but promptci's own packages.
"""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

CASES = 40
GOOD = "Copy the order number from the question."
BAD = "Copy the order number from the question, and be chatty."
PROMPT = "prompts/order.prompt.yml"
CONFIG = """\
provider:
  base_url: http://127.0.0.1:{port}/v1
  api_key_env: ""
  prices: {{smoke-1: {{input_usd: 1, output_usd: 4}}}}
gate: {{max_p95_increase: null, min_quality: 0.9}}
run: {{repeats: 1}}
"""


Call = Callable[[Sequence[str], Path, Mapping[str, str]], "subprocess.CompletedProcess[str]"]
"""Calls promptci with its arguments, in a folder, with these variables of the environment."""


class Model(BaseHTTPRequestHandler):
    """Answers as an OpenAI-compatible endpoint; chats on every other question where the prompt asks for it."""

    protocol_version = "HTTP/1.1"
    calls: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Answer a chat request."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        system, question = (message["content"] for message in request["messages"])
        number = re.search(r"№ (\d+)", question)
        answer = number[1] if number else "?"
        if "chatty" in system and int(answer) % 2:
            answer = f"Sure! It is {answer}."
        self.calls.append(question)
        message = {"role": "assistant", "content": answer}
        usage = {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "1", "object": "chat.completion", "model": "smoke-1", "choices": [choice], "usage": usage}
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Be quiet."""


def start_promptci(
    words: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run promptci in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "promptci", *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )


def main(call: Call = start_promptci) -> int:
    """Run every step; return 1 where one went another way than it should."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        repository = Path(folder) / "Läden und Shops"
        write_repository(repository, server.server_port)
        is_right = all([
            expect(call, repository, ["run"], code=0, says="40 of 40"),
            expect(call, repository, ["doctor"], code=0, says="0 errors"),
            expect(call, repository, ["release", "order"], code=0, says="v1.0.0"),
            edit(repository),
            expect(call, repository, ["check"], code=1, says="order got worse"),
            expect_no_new_call(call, repository),
            expect(call, repository, ["report", "promptci-report/report.json"], code=1, says="order got worse"),
            (repository / "promptci-report" / "report.html").stat().st_size > 10_000,
        ])  # fmt: skip
    server.shutdown()
    server.server_close()
    print("smoke: as it should be" if is_right else "smoke: see above")
    return 0 if is_right else 1


def write_repository(folder: Path, port: int) -> None:
    """Make a repository with one prompt, its goldens and the configuration."""
    rows = [{"id": f"c{n}", "vars": {"input": f"Wo ist № {n}?"}, "expected": str(n)} for n in range(1000, 1000 + CASES)]
    files = {
        PROMPT: prompt(GOOD),
        "goldens/order.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        "promptci.yml": CONFIG.format(port=port),
        ".gitignore": ".promptci/\npromptci-report/\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Smoke")
    git(folder, "config", "user.email", "smoke@example.com")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A prompt")


def prompt(instruction: str) -> str:
    """Return a prompt file."""
    return (
        f"model: smoke-1\nmessages:\n  - role: system\n    content: {json.dumps(instruction)}\n"
        "  - role: user\n    content: '{{input}}'\n"
    )


def git(folder: Path, *words: str) -> None:
    """Run git, which must succeed."""
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def edit(repository: Path) -> bool:
    """Make the prompt worse, with the line ends of this system."""
    (repository / PROMPT).write_text(prompt(BAD), encoding="utf-8")
    return True


def expect_no_new_call(call: Call, repository: Path) -> bool:
    """Check again: every answer is in the cache now."""
    before = len(Model.calls)
    return expect(call, repository, ["check", "--quiet"], code=1, says="order got worse") and len(Model.calls) == before


def expect(call: Call, repository: Path, words: Sequence[str], *, code: int, says: str) -> bool:
    """Run a command of promptci; print what it wrote where it ends with another code, or does not say the words."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "INPUT_", "CI"))}
    environ["PYTHONIOENCODING"] = "utf-8"
    done = call(words, repository, environ)
    text = done.stdout + done.stderr
    is_right = done.returncode == code and says in text
    print(f"{'ok' if is_right else 'WRONG':<6}promptci {' '.join(words)}: exit code {done.returncode}")
    if not is_right:
        print(f"Wanted exit code {code} and {says!r}:\n{text}")
    return is_right


if __name__ == "__main__":
    raise SystemExit(main())
