"""The story: sixty days of a shop, from the first release to a model that changed without a word."""

from collections.abc import Callable
from dataclasses import field, replace
from datetime import datetime, timedelta
from pathlib import Path

from promptci.errors import PromptciError
from promptci.files import packaged
from promptci.goldens.load import load_goldens
from promptci.lazy_dataclass import dataclass
from promptci.report.canary_document import CanaryDocument
from promptci.tour.play_model import FIRST_MODEL, SECOND_MODEL, PlayModel
from promptci.tour.settings import CONFIG, DEPLOYMENT
from promptci.tour.shop import KEY, PlayError, Shop, open_shop
from promptci.tour.traffic import ServedArm, ServedPrompt, write_day
from promptci.usecases.monitoring import monitor
from promptci.usecases.monitoring.monitor import MonitorRequest

DAYS = 60
ORDERS, LANGUAGES = "order-extractor", "language-router"
MODEL = "local/smollm2-135m-instruct"
PINNED = f"{MODEL}-2026-03"
BETTER = "Copy the order number exactly, letter by letter."
TERSE = "Order number?"
PIN = "Copy the order number exactly, letter by letter. One number only."
RATES = {"letter by letter": 0.03, TERSE: 0.30, "Name the language": 0.02}
"""Share of cases that the model gets wrong under a system message with these words."""
LANGUAGE_CASES, MAX_LOOKS = 40, 16
QUIET, BUSY = 120, 4000
"""Requests a day, and while a canary runs."""


@dataclass(kw_only=True, slots=True)
class PlayedStory:
    """What the play leaves behind."""

    root: Path
    monitor: Path | None
    """None: the extra `monitor` is not installed."""
    canaries: tuple[Path, ...]
    ended: datetime
    facts: dict[str, str] = field(default_factory=dict)
    """Numbers of the story, as its commands printed them."""


def play(folder: Path, end: datetime, say: Callable[[str], None]) -> PlayedStory:
    """Play the two months before a time, and return where the records are.

    Raises
    ------
    PlayError
        If a step has another end than the story has.
    UsageError
        If the folder holds other files.
    """
    source = packaged.find_packaged_folder("example-repo")
    recorded = (source / "answers" / "smollm2-135m.jsonl").read_text(encoding="utf-8").splitlines()
    files = [f"goldens/{name}.jsonl" for name in (ORDERS, LANGUAGES)]
    cases = [case for path in files for case in load_goldens({path: (source / path).read_bytes()}).cases]
    expected = {str(case.vars["message"]): str(case.expected) for case in cases}
    start = (end - timedelta(days=DAYS)).replace(hour=8, minute=0, second=0, microsecond=0)
    with PlayModel(recorded, expected, RATES) as model, open_shop(folder, start, say) as shop:
        return _Story(shop=shop, model=model, start=start).play(end)


@dataclass(kw_only=True)
class _PlayedDays:
    """Days and canaries of the story."""

    shop: Shop
    model: PlayModel
    start: datetime
    served: dict[str, ServedPrompt] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    looks: list[Path] = field(default_factory=list)
    day: int = 0

    @property
    def logs(self) -> Path:
        return self.shop.folder / "logs"

    def try_version(
        self, prompt: str, version: str, *, quality: float, until: str, response_model: str = ""
    ) -> CanaryDocument:
        """Deploy a canary, let customers come, and look until the story goes on."""
        before = self.served[prompt]
        self.shop.act_as("ben")
        drop = "canary" in (self.shop.root / "deployments" / "production.yml").read_text(encoding="utf-8")
        self.shop.deploy(prompt, version, canary=True, drop=drop)
        arm = replace(before.stable, version=version, quality=quality)
        if response_model:
            arm = replace(arm, response_model=response_model)
        log = self.logs / f"canary-{version}.jsonl"
        log.parent.mkdir(parents=True, exist_ok=True)
        share = 5.0
        for _ in range(MAX_LOOKS):
            served = replace(before, canary=arm, share=share)
            write_day(log, self.shop.now, served, requests=BUSY // 4, hours=6)
            self.shop.wait(hours=6, minutes=15)
            if self.shop.now.hour < 6:
                self.watch_night()
            document = self.shop.look((str(log),))
            row = next(row for row in document.prompts if row.prompt == prompt)
            share = row.new_share
            if until in {row.outcome, f"{share:g}"}:
                break
        else:
            raise PlayError(f"the canary of {version} did not come to `{until}`")
        saved = self.shop.folder / f"canary-{version}.json"
        saved.write_text(document.dump(), encoding="utf-8")
        self.looks.append(saved)
        if until == "100":
            self.shop.wait(hours=1)
            self.shop.act_as("ben")
            self.shop.deploy(prompt, version, because="the canary passed every step")
            self.served[prompt] = replace(before, stable=arm)
        self.shop.record_audit()
        return document

    def edit(self, prompt: str, old: str, new: str) -> str:
        text = (self.shop.root / "prompts" / f"{prompt}.prompt.yml").read_text(encoding="utf-8")
        if old not in text:
            raise PlayError(f"the prompt {prompt} is not what the story expects")
        return text.replace(old, new)

    def pass_days(self, until: int) -> None:
        """Let nights pass until a day of the story."""
        while (self.shop.now - self.start).days < until:
            self.pass_day()

    def pass_day(self, *, night: bool = True) -> None:
        """Serve customers for a day, and watch the night."""
        morning = self.shop.now.replace(hour=8, minute=0)
        for served in self.served.values():
            if served.prompt == LANGUAGES and (self.shop.now - self.start).days < 38:
                continue
            write_day(self.logs / f"{morning:%Y-%m-%d}.jsonl", morning, served, requests=QUIET, hours=18)
        self.shop.wait(seconds=(morning + timedelta(hours=19, minutes=17) - self.shop.now).total_seconds())
        if night:
            self.watch_night()
        self.shop.wait(hours=4, minutes=43)

    def watch_night(self) -> None:
        with self.model.open_night(self.shop.now):
            self.shop.night()

    def freeze(self) -> None:
        """Take four nights as the reference of drift."""
        for _ in range(4):
            self.pass_day(night=False)
            with self.model.open_night(self.shop.now):
                self.shop.freeze()
        self.shop.act_as("ann")
        self.shop.git("add", "--all", "drift")
        self.shop.git("commit", "--quiet", "--no-verify", "--message=Freeze the reference of drift")

    def begin(self) -> None:
        """Two prompts are tested, released and deployed; four nights become the reference of drift."""
        self.shop.say("day 1: two prompts are released on their evidence, and deployed")
        config = CONFIG.format(address=self.model.address, key=KEY, model=MODEL, pinned=PINNED)
        goldens = f"goldens/{LANGUAGES}.jsonl"
        few = (self.shop.root / goldens).read_text(encoding="utf-8").splitlines(keepends=True)[:LANGUAGE_CASES]
        self.shop.commit(
            {goldens: "".join(few), "promptci.yml": config, "deployments/production.yml": DEPLOYMENT},
            "Prompts, goldens and the pipeline",
            "ann",
        )
        self.shop.git("add", "--all")
        self.shop.git("commit", "--quiet", "--no-verify", "--amend", "--no-edit")
        self.shop.test_all()
        for prompt, quality in ((ORDERS, 0.95), (LANGUAGES, 0.98)):
            self.shop.wait(minutes=20)
            version = self.shop.release(prompt, 1, by="ann", approved="ben")
            if prompt == ORDERS:
                self.shop.deploy(prompt, version, because="first version")
            arm = ServedArm(
                version=version, quality=quality, latency_ms=620, cost_usd=0.00004, response_model=FIRST_MODEL
            )
            self.served[prompt] = ServedPrompt(prompt=prompt, model=MODEL, stable=arm)
        self.freeze()

    def expect(self, verdict: str, actual: str) -> None:
        if actual != verdict:
            raise PlayError(f"the story expects the verdict `{verdict}`, and the gate said `{actual}`")


@dataclass(kw_only=True)
class _Story(_PlayedDays):
    """The acts, in their order."""

    def play(self, end: datetime) -> PlayedStory:
        for act in (
            self.begin,
            self.block_a_change,
            self.promote_a_change,
            self.roll_back_a_change,
            self.drift,
            self.pin,
        ):
            act()
        self.shop.record_audit()
        return PlayedStory(
            root=self.shop.root,
            monitor=self.watch_production(),
            canaries=tuple(self.looks),
            ended=end,
            facts=self.facts,
        )

    def block_a_change(self) -> None:
        """Propose a shorter prompt, which is blocked on the goldens."""
        self.pass_days(12)
        self.shop.say("day 13: a shorter prompt is blocked")
        overlay = packaged.find_packaged_folder("example-repo") / "pull-request" / "prompts" / f"{ORDERS}.prompt.yml"
        path = f"prompts/{ORDERS}.prompt.yml"
        result = self.shop.propose(12, {path: overlay.read_text(encoding="utf-8")}, "Shorter order prompt", "cem")
        self.expect("fail", result.view.verdict if result.view else "")
        self.facts["blocked"] = result.view.headline if result.view else ""

    def promote_a_change(self) -> None:
        """Propose a better prompt, which passes the gate and the canary."""
        self.pass_days(20)
        self.shop.say("day 21: a better prompt passes, and its canary is promoted step by step")
        text = self.edit(ORDERS, "Copy the order number from the customer's message.", f"{BETTER}")
        result = self.shop.propose(15, {f"prompts/{ORDERS}.prompt.yml": text}, "Copy order numbers exactly", "cem")
        self.expect("pass", result.view.verdict if result.view else "")
        self.shop.merge(15, "ben")
        version = self.shop.release(ORDERS, 15, by="cem", approved="ben")
        self.try_version(ORDERS, version, quality=0.965, until="100")
        self.freeze()

    def roll_back_a_change(self) -> None:
        """Merge a terse prompt by an override; its canary is rolled back."""
        self.pass_days(33)
        self.shop.say("day 34: a blocked change is merged all the same, and rolled back by its canary")
        text = self.edit(ORDERS, f"{BETTER} It looks like HB-12345. If there is none, answer none.", TERSE)
        result = self.shop.propose(19, {f"prompts/{ORDERS}.prompt.yml": text}, "One question is enough", "dora")
        self.expect("fail", result.view.verdict if result.view else "")
        reason = "the campaign starts today, tried by hand on ten messages"
        if self.shop.override(19, "dora", "ann", reason).exit_code:
            raise PlayError("the story expects that the override stands")
        self.shop.merge(19, "ann")
        version = self.shop.release(ORDERS, 19, by="dora", approved="ann", because=reason)
        document = self.try_version(ORDERS, version, quality=0.72, until="roll back")
        row = next(row for row in document.prompts if row.prompt == ORDERS)
        self.facts["rolled_back"] = " ".join(finding.text for finding in row.findings)
        self.facts["rolled_back_requests"] = str(row.arms.canary.requests)
        self.shop.wait(hours=3)
        back = self.edit(ORDERS, TERSE, f"{BETTER} It looks like HB-12345. If there is none, answer none.")
        self.shop.commit({f"prompts/{ORDERS}.prompt.yml": back}, "Go back to the prompt that runs", "ben")

    def drift(self) -> None:
        """Let the provider change the model without a word."""
        self.pass_days(38)
        self.shop.act_as("ben")
        self.shop.deploy(LANGUAGES, "v1.0.0", because="colleagues who speak French and German start today")
        self.freeze()
        self.pass_days(46)
        text = self.edit(LANGUAGES, "Name the language of the message", "Name the language of this message")
        result = self.shop.propose(21, {f"prompts/{LANGUAGES}.prompt.yml": text}, "Say which message", "ann")
        verdict = result.view.verdict if result.view else ""
        because = "" if verdict == "pass" else "one word of the instruction, and no case changed"
        self.shop.merge(21, "ben")
        self.shop.release(LANGUAGES, 21, by="ann", approved="ben", because=because)
        self.pass_days(53)
        self.shop.say("day 54: the provider changes the model without a word, and the next night finds it")
        self.model.is_new = True
        for prompt in (ORDERS,):
            stable = replace(self.served[prompt].stable, quality=0.82, response_model=SECOND_MODEL)
            self.served[prompt] = replace(self.served[prompt], stable=stable)
        self.pass_days(56)

    def pin(self) -> None:
        """Pin the model, and try the pinned version."""
        self.shop.say(
            "day 57: the team pins the model; the canary of the fix is held, as its arms have different models"
        )
        text = self.edit(ORDERS, BETTER, PIN).replace(f"model: {MODEL}\n", f"model: {PINNED}\n")
        result = self.shop.propose(24, {f"prompts/{ORDERS}.prompt.yml": text}, "Pin the model", "ann")
        self.expect("pass", result.view.verdict if result.view else "")
        self.shop.merge(24, "ben")
        version = self.shop.release(ORDERS, 24, by="ann", approved="ben")
        self.try_version(ORDERS, version, quality=0.965, until="hold", response_model=FIRST_MODEL)
        self.pass_days(DAYS - 1)

    def watch_production(self) -> Path | None:
        request = MonitorRequest(root=self.shop.root, logs=(f"{self.logs}/2*.jsonl",), now=self.shop.now)
        try:
            document = monitor.compute_monitor(request)
        except PromptciError as error:
            self.shop.say(f"production figures are left out: {error}")
            return None
        path = self.shop.folder / "monitor.json"
        path.write_text(document.dump(), encoding="utf-8")
        return path
