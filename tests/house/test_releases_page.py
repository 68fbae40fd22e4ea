"""The commands of docs/releases.md run, one after the other, and print what the page shows."""

import re
import shlex
from pathlib import Path

from fakes.repo import RepoBuilder
from support import released
from support.released import prompt, run

from promptci.audit.anchors import TRAILER

PAGE = (Path(__file__).parents[2] / "docs" / "releases.md").read_text(encoding="utf-8")
FILE = "prompts/order-extractor.prompt.yml"
VARIES = re.compile(r"[0-9a-f]{64}|\b[0-9a-f]{7}\b|\d{4}-\d\d-\d\d|serial \d+|(?<=written to )\S+")


def plain(text: str) -> list[str]:
    """The lines with what differs from run to run left out."""
    return [VARIES.sub("…", line) for line in text.strip().splitlines()]


def test_the_page_is_what_happens(tmp_path: Path) -> None:
    shop = RepoBuilder(tmp_path / "shop").write({FILE: prompt()})
    shop.commit("base")
    released.with_remote(shop)
    assert run(shop, "release", "order-extractor", "--because", "first", "--push").code == 0
    assert run(shop, "deploy", "order-extractor@v1.0.0", "--env", "production").code == 0
    shop.write({".gitignore": "promptci-report/\ndist/\n", FILE: prompt("Copy only the number.")}).commit()
    planned = run(shop, "release", "order-extractor", "--dry-run", "--because", "x", "--json").value
    released.report(shop.path / "promptci-report" / "report.json", planned["prompts"][0]["fingerprint"])

    blocks = re.findall(r"```(sh|text)\n(.*?)```", PAGE, re.DOTALL)
    printed, compared = "", 0
    for kind, text in blocks:
        if kind == "text":
            if "verdict" not in text:  # the page's status has evidence of its own
                assert plain(printed) == plain(text)
                compared += 1
            continue
        for command in text.strip().splitlines():
            done = run(shop, *shlex.split(command)[1:])
            assert done.code == 0, f"{command}: {done.text}"
            printed = done.text
            shop.git("push", "--quiet", "origin", "main")
    assert compared == 4


def test_every_trailer_is_named() -> None:
    folder = Path(__file__).parents[2] / "promptci" / "usecases" / "release"
    files = [folder / f"{name}.py" for name in ("release", "deploy", "rollback")]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    trailers = [*re.findall(r'(?m)^ {8,12}\(?"([A-Z][A-Za-z-]+)"(?:: |, \w)', source), TRAILER]
    assert len(trailers) >= 19
    assert [name for name in trailers if f"`{name}`" not in PAGE] == []
