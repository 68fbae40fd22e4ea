"""Play a rollout from end to end: `make demo-rollout`. The same every time, without key, network or a hand in between.

A shop releases a prompt and serves customers with it. A version that the gate had blocked is released all the same, and
tried on 5 % of the customers. The canary look rolls it back, and everybody gets the stable version again.
"""

import argparse
import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from promptci.errors import UsageError
from promptci.usecases.setup import demo

ENVIRONMENT, PROMPT, FILE = "production", "order-extractor", "deployments/production.yml"
REASON = "tried on the tickets of this morning, looked fine"
CUSTOMERS_PER_LOOK, MAX_LOOKS, CUSTOMERS_AFTERWARDS = 250, 10, 200
LAG = timedelta(minutes=11)
"""The policy's `lag`, and a minute: for so long a look waits for late marks. The demo's clock is put forward by it."""
REFRESH_S = 0.5
MAX_WAIT_S = 30.0
IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "A colleague", "EMAIL": "colleague@example.com"}.items()
}


class DemoError(Exception):
    """The play did not go as it should."""


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Shop:
    """The folders of the play: the team's repository, its remote, and what the application reads and writes."""

    folder: Path

    @property
    def repository(self) -> Path:
        """The clone that the team works in."""
        return self.folder / "repository"

    @property
    def bundle(self) -> Path:
        """Where the bundle is published."""
        return self.folder / "published" / "production.bundle.json"

    @property
    def log(self) -> Path:
        """The application's request log."""
        return self.folder / "logs" / "requests.jsonl"

    def run(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command in the repository and return what it prints."""
        environment = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        dropped = ("GITHUB_", "INPUT_", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
        kept = {name: value for name, value in environment.items() if not name.startswith(dropped)}
        done = subprocess.run(words, cwd=self.repository, env=kept, capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise DemoError(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def git(self, *words: str) -> str:
        """Run git."""
        return self.run("git", *words)

    def promptci(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command of promptci, after printing it."""
        say(f"  $ promptci {shlex.join(words)}")
        return self.run(sys.executable, "-m", "promptci", *words, codes=codes)

    def read_bundle(self) -> dict[str, Any]:
        """Return the bundle that is published."""
        bundle: dict[str, Any] = json.loads(self.bundle.read_bytes())
        return bundle

    def publish(self) -> None:
        """Make the bundle of the newest commit, and put it where the application reads it."""
        words = ["--env", ENVIRONMENT, "--rev", "origin/main", "--out", "../published/production.bundle.json", "--json"]
        summary = json.loads(self.promptci("bundle", *words))
        say(f"    bundle {summary['serial']}: {summary['prompts'][PROMPT]}")

    def record(self, *words: str) -> None:
        """Add what was decided to the audit log, and push its branch."""
        say(f"    {self.promptci('audit', 'record', *words).splitlines()[-1].partition(';')[0]}")


def set_up(folder: Path) -> Shop:
    """Create the shop's repository with the recorded model, its remote, and the colleague's branch."""
    mark = folder / demo.MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise UsageError(f"{folder} holds other files", "Give --out a new folder.")
    shutil.rmtree(folder, ignore_errors=True)
    shop = Shop(folder.resolve())
    for place in (shop.bundle, shop.log):
        place.parent.mkdir(parents=True)
    mark.write_text("Made by `make demo-rollout`, which replaces what is here.\n", encoding="utf-8")
    demo.create_demo_repository(shop.repository)
    shop.git("switch", "--quiet", "main")
    config = shop.repository / "promptci.yml"
    text = config.read_text(encoding="utf-8")
    text = text.replace("kind: local", "kind: recorded\n  path: answers/smollm2-135m.jsonl")
    # Without a limit of quality, a first run with a wrong answer is not judged.
    text = text.replace("gate:\n", "gate:\n  min_quality: 0.5\n")
    config.write_text(text, encoding="utf-8")
    deployed = (shop.repository / FILE).read_text(encoding="utf-8")
    head, _, policy = deployed.partition("prompts:")
    (shop.repository / FILE).write_text(f"{head}prompts: {{}}\nsteps:{policy.partition('steps:')[2]}", encoding="utf-8")
    shop.git("commit", "--quiet", "--all", "--message=Answer with the recorded model; nothing is deployed yet")
    shop.git("init", "--quiet", "--bare", "--initial-branch=main", str(shop.folder / "origin.git"))
    shop.git("remote", "add", "origin", str(shop.folder / "origin.git"))
    shop.git("push", "--quiet", "--set-upstream", "origin", "main")
    return shop


@dataclass
class Application:
    """The running application, and its customers."""

    process: "subprocess.Popen[str]"
    connection: http.client.HTTPConnection
    cases: list[dict[str, Any]]
    served: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    """Requests by arm."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Wrong order numbers by arm."""

    @classmethod
    def start(cls, shop: Shop) -> "Application":
        """Start the application of the example repository."""
        script = shop.repository / "app" / "server.py"
        words = ["--bundle", str(shop.bundle), "--log", str(shop.log), "--refresh", str(REFRESH_S), "--port", "0"]
        process = subprocess.Popen([sys.executable, str(script), *words], stdout=subprocess.PIPE, text=True)
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise DemoError(f"the application did not start: exit code {process.wait()}")
        goldens = (shop.repository / "goldens" / f"{PROMPT}.jsonl").read_text(encoding="utf-8")
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        return cls(process, connection, [json.loads(line) for line in goldens.splitlines()])

    def stop(self) -> None:
        """End it."""
        self.connection.close()
        self.process.terminate()
        self.process.wait(timeout=30)

    def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """Send one request."""
        self.connection.request("POST", path, json.dumps(content), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        if response.status != 200:
            raise DemoError(f"{path} answered {response.status}: {answer}")
        return answer

    def serve(self, count: int) -> Iterator[dict[str, Any]]:
        """Let new customers write, and the desk mark whether the order number was right; yield the answers."""
        for _ in range(count):
            case = self.cases[self.served % len(self.cases)]
            answer = self.post("/messages", {"customer": f"customer-{self.served}", "message": case["vars"]["message"]})
            correct = answer["order"] == case["expected"]
            self.post("/marks", {"request": answer["request"], "correct": correct})
            self.served += 1
            self.answered[answer["arm"]] += 1
            self.wrong[answer["arm"]] += not correct
            yield answer

    def wait_for(self, serial: int) -> None:
        """Wait until the application has a bundle, as it does within a minute in production."""
        until = time.monotonic() + MAX_WAIT_S
        while time.monotonic() < until:
            self.connection.request("GET", "/health")
            if json.loads(self.connection.getresponse().read())["serial"] == serial:
                return
            time.sleep(REFRESH_S)
        raise DemoError(f"the application did not take the bundle {serial} within {MAX_WAIT_S:g} s")


def release_and_deploy(shop: Shop) -> None:
    """Release the first version on its evidence, and the second against it."""
    say("1. The prompt is tested, released and deployed")
    shop.promptci("run")
    say(f"    {shop.promptci('release', PROMPT, '--push').splitlines()[0]}")
    say(f"    {shop.promptci('deploy', f'{PROMPT}@v1.0.0', '--env', ENVIRONMENT, '--push').splitlines()[0]}")
    shop.publish()
    say("2. A colleague's shorter prompt is merged although the gate blocks it, and released for a reason")
    shop.git("merge", "--quiet", "--no-ff", demo.BRANCH, f"--message=Merge {demo.BRANCH}")
    shop.git("push", "--quiet", "origin", "main")
    checked = shop.promptci("check", "--base", "HEAD~1", "--head", "HEAD", codes=(1,))
    say(f"    {next(line for line in checked.splitlines() if line.startswith('fail:'))}")
    shop.record("--report", "promptci-report/report.json")
    refused = shop.promptci("release", PROMPT, "--push", codes=(1,))
    say(f"    {refused.splitlines()[0]}")
    say(f"    {shop.promptci('release', PROMPT, '--push', '--because', REASON).splitlines()[0]}")


def look(shop: Shop, now: datetime | None) -> dict[str, Any]:
    """Look at the canary once, commit and push what changed, and publish the bundle, as the workflow does."""
    clock = [] if now is None else ["--now", now.strftime("%Y-%m-%dT%H:%M:%SZ")]
    shop.git("pull", "--quiet", "--ff-only")
    shop.promptci("canary", "--env", ENVIRONMENT, "--log", "../logs/*.jsonl", "--apply", *clock, codes=(0, 1))
    record: dict[str, Any] = json.loads((shop.repository / "promptci-report" / "canary.json").read_text("utf-8"))
    decision: dict[str, Any]
    (decision,) = [each for each in record["prompts"] if each["prompt"] == PROMPT]
    say(f"    {decision['outcome']}: {' '.join(finding['text'] for finding in decision['findings'])}")
    shop.git("add", "deployments")
    if shop.git("status", "--porcelain", "deployments"):
        reason = " ".join(finding["text"] for finding in decision["findings"])
        title = f"Canary in {ENVIRONMENT}: {decision['outcome']}"
        shop.git("commit", "--quiet", f"--message={title}", f"--message=Reason: {reason}")
        shop.git("push", "--quiet", "origin", "main")
        shop.publish()
        shop.record("--canary", "promptci-report/canary.json")
    return decision


def try_version(shop: Shop, application: Application) -> int:
    """Deploy the second version as a canary, serve customers, and look until it is decided; return the looks."""
    say("3. The new version is tried on 5 % of the customers")
    say(
        f"    {shop.promptci('deploy', f'{PROMPT}@v1.1.0', '--env', ENVIRONMENT, '--canary', '--push').splitlines()[0]}"
    )
    shop.publish()
    look(shop, None)
    application.wait_for(shop.read_bundle()["serial"])
    say("4. Customers write, the desk marks wrong order numbers, and the canary is looked at again and again")
    for number in range(1, MAX_LOOKS + 1):
        list(application.serve(CUSTOMERS_PER_LOOK))
        say(f"    {application.served} customers so far, {application.answered['canary']} of them with v1.1.0")
        if look(shop, datetime.now(UTC) + LAG)["outcome"] == "roll back":
            return number
    raise DemoError(f"the canary was not rolled back within {MAX_LOOKS} looks")


def summarize(shop: Shop, application: Application, looks: int) -> None:
    """Check that everybody gets the stable version, and say what happened."""
    stable, canary = ((application.answered[arm], application.wrong[arm]) for arm in ("stable", "canary"))
    extra = round(application.served * (canary[1] / canary[0] - stable[1] / stable[0]))
    served = application.served
    bundle = shop.read_bundle()
    application.wait_for(bundle["serial"])
    versions = Counter(answer["version"] for answer in application.serve(CUSTOMERS_AFTERWARDS))
    share = bundle["prompts"][PROMPT]["share"]
    if share != 0 or set(versions) != {"v1.0.0"}:
        raise DemoError(f"not everybody is back at the stable version: share {share}, answers {dict(versions)}")
    say("5. What runs now")
    for line in shop.promptci("status").splitlines()[1:]:
        say(f"  {line}")
    say("6. What stays on record")
    for what in ("blocked", "rolled-back"):
        say(f"    {shop.promptci('audit', 'log', '--prompt', PROMPT, '--what', what).splitlines()[0]}")
    for line in shop.promptci("audit", "verify").splitlines()[:2]:
        say(f"    {line}")
    decision = shop.git("log", "-1", "--format=%h %s", "origin/main", "--", FILE).strip()
    for line in (
        "",
        "The bad version was rolled back, and nobody had to do anything.",
        f"  v1.1.0 answered {canary[0]} customers, {canary[1]} of them wrongly ({canary[1] / canary[0]:.0%}).",
        f"  v1.0.0 answered {stable[0]} customers, {stable[1]} of them wrongly ({stable[1] / stable[0]:.0%}).",
        f"  With v1.1.0 for everybody, about {extra} more of these {served} customers would have got a wrong answer.",
        f"  Decided at look {looks}: commit {decision}, pushed to the team's repository.",
        f"  The next {CUSTOMERS_AFTERWARDS} customers all got v1.0.0, from bundle {bundle['serial']}.",
        f"  Look around in {shop.repository}: promptci status, promptci audit log, git log",
    ):
        say(line)


def main() -> None:
    """Play it; exit code 0 where the bad version was rolled back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo-rollout-output"), help="folder, replaced each time")
    arguments = parser.parse_args()
    begun = time.monotonic()
    try:
        shop = set_up(arguments.out)
        release_and_deploy(shop)
        application = Application.start(shop)
        try:
            looks = try_version(shop, application)
            summarize(shop, application, looks)
        finally:
            application.stop()
    except (DemoError, UsageError, OSError) as error:
        sys.exit(f"The demo stopped: {error}")
    say(f"  {time.monotonic() - begun:.0f} seconds")


if __name__ == "__main__":
    main()
