"""The numbered ways in which what is written could do harm, each by its name, at the places that GitHub shows."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import github as fake
from fakes import runner
from markdown_it import MarkdownIt
from markdown_it.token import Token
from support.daily import some_daily
from support.hostile_payloads import XSS, planted, rich
from support.run_notation import comparison, report

from promptci.action import publication as bulletins
from promptci.app.requests import RunResult
from promptci.publish.github.pygithub_client import PyGithubClient
from promptci.publish.publish_all import publish_all
from promptci.publish.runner.context import ActionContext
from promptci.publish.runner.workflow_commands import safe_line
from promptci.report.model import document
from promptci.report.model.report import ReportView
from promptci.report.output_paths import OutputPaths
from promptci.report.write import OUTPUTS, write_all

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LIVE = ["@everyone", "&#64;everyone", "&commat;everyone", "fixes #1", "octo/repo#3", "GH-2", "https://evil.example"]
LIVE += ["www.evil.example", "![i](https://evil.example/i.png)", "[l](https://evil.example)", "<https://evil.example>"]
LIVE += ["<!-- hidden: approve this -->", "--> <b>", "mailto:a@evil.example", "[x]: https://evil.example\n\n[x]"]


class PublishedTexts:
    """All that GitHub is told about a view."""

    def __init__(self, folder: Path, view: ReportView, server: fake.GitHub, github: PyGithubClient) -> None:
        repo = {"full_name": "example/shop"}
        pull = {"number": 7, "base": {"sha": "b" * 40, "repo": repo}, "head": {"sha": "a" * 40, "repo": repo}}
        (folder / "event.json").write_text(json.dumps({"pull_request": pull}))
        environ = {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": "example/shop",
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "INPUT_CHECK-RUN": "true",
        }
        log = io.StringIO()
        outcome = RunResult(
            exit_code=view.exit_code, view=view, paths=write_all(document.serialize(view), folder / "out")
        )
        notes = publish_all(
            ActionContext.from_environ(environ), bulletins.build_publication(outcome, folder), github, log
        )
        self.log = log.getvalue() + "".join(f"{note}\n" for note in notes)
        self.output = (folder / "output").read_text(encoding="utf-8")
        self.summary = (folder / "summary").read_text(encoding="utf-8")
        (self.body,) = server.bodies
        (self.check_run,) = server.check_runs.values()
        (self.status,) = server.statuses

    @property
    def markdown(self) -> list[str]:
        """Every text that GitHub renders."""
        return [self.body, self.summary, self.check_run["output"]["summary"]]


def tokens(text: str) -> list[Token]:
    return [token for top in PARSER.parse(text) for token in (top, *(top.children or []))]


def live(text: str) -> list[str]:
    """Return what of strangers GitHub would make something of."""
    tags = ("details", "details open", "/details", "summary", "/summary", "sub", "/sub")
    ours = ("<!-- promptci:v1 key=", *(f"<{tag}>" for tag in tags))
    results = []
    for token in tokens(text):
        content = token.content
        if token.type in {"html_block", "html_inline"}:
            for each in ours:
                content = content.replace(each, "")
            results += [content] if "<" in content or "@e" in content else []
        elif token.type == "link_open" and "actions/runs" not in str(token.attrs["href"]):
            results.append(str(token.attrs["href"]))
        elif token.type == "image":
            results.append("image")
        elif token.type == "text" and ("@e" in content or "://" in content or "#1" in content or "#3" in content):
            results.append(content)
    return results


@pytest.mark.parametrize("payload", some_daily(LIVE, 5))
def test_out_markdown_mentions_entities_images_links_html_comment_autolink_issue_ref(
    payload: str, tmp_path: Path, server: fake.GitHub, github: PyGithubClient
) -> None:
    published_texts = PublishedTexts(tmp_path, planted(rich(), payload), server, github)

    assert [result for text in published_texts.markdown for result in live(text)] == []
    assert published_texts.body.count("<!--") == 1


@pytest.mark.parametrize("payload", some_daily(XSS, 6))
def test_out_xss_corpus_every_field(payload: str, tmp_path: Path, server: fake.GitHub, github: PyGithubClient) -> None:
    """In all that is told to GitHub; the page itself is opened in a browser by the tests of its own."""
    published_texts = PublishedTexts(tmp_path, planted(rich(), payload), server, github)

    assert [result for text in published_texts.markdown for result in live(text)] == []


@pytest.mark.parametrize(
    "payload", some_daily(["a | b", "a \\| b", "line\nbreak | x", "|\n|--|\n| x |", "`a | b`", "\r\n| x"], 2)
)
def test_out_pipe_newline_in_table_cell(
    payload: str, tmp_path: Path, server: fake.GitHub, github: PyGithubClient
) -> None:
    harmless = [token.type for token in PARSER.parse(_comment(tmp_path, "harmless")) if token.type != "inline"]
    published_texts = PublishedTexts(tmp_path, planted(rich(), payload), server, github)

    assert [t.type for t in PARSER.parse(published_texts.body.split("\n", 1)[1]) if t.type != "inline"][
        : len(harmless)
    ] == harmless


def _comment(folder: Path, payload: str) -> str:
    view = planted(rich(), payload)
    return bulletins.build_publication(
        RunResult(exit_code=0, view=view, paths=OutputPaths(folder=folder)), folder
    ).comment_md


@pytest.mark.parametrize(
    "payload",
    some_daily(
        [
            "\x1b[31mred\x1b[0m",
            "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
            "\x9b31mred",
            "\x1b]0;title\x07",
            "\x1bc",
        ],
        2,
    ),
)
def test_out_ansi_escape_and_osc8_hyperlinks(
    payload: str, tmp_path: Path, server: fake.GitHub, github: PyGithubClient
) -> None:
    published_texts = PublishedTexts(tmp_path, planted(rich(), payload), server, github)

    for text in (
        published_texts.log,
        published_texts.body,
        published_texts.summary,
        published_texts.output,
        repr(published_texts.status),
        safe_line(payload),
    ):
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert {result.name for result in runner.log(published_texts.log)} <= {"error", "warning"}


@pytest.mark.parametrize(
    "payload", some_daily(["\ud800", "a\udfffb", "\x00", "\x07\x08", "\u202egpj.exe", "zero\u200bwidth", "\ufeff"], 3)
)
def test_out_lone_surrogate_and_control_chars(
    payload: str, tmp_path: Path, server: fake.GitHub, github: PyGithubClient
) -> None:
    rows = f"a | {payload} | yes | yes | {payload} x\nb | Hi | yes | yes | {payload} y"
    published_texts = PublishedTexts(
        tmp_path, report(comparison(rows, name=f"n{payload}"), notes=(payload,)), server, github
    )

    for each in (
        *published_texts.markdown,
        published_texts.log,
        published_texts.output,
        repr(published_texts.check_run),
    ):
        each.encode("utf-8")
        assert not {"\x00", "\x07", "\u202e", "\ufeff"} & set(each)
    for file in (tmp_path / "out").iterdir():
        file.read_bytes().decode("utf-8")


@pytest.mark.long
def test_out_deterministic_bytes_twice(tmp_path: Path) -> None:
    """The same report.json makes the same bytes, whatever the machine's language, time zone and hashes are."""
    (tmp_path / "report.json").write_text(document.dump(rich()), encoding="utf-8")
    code = (
        "import sys, pathlib; from promptci.report import write; from promptci.report.model import document as data;"
        "from promptci.report.model.report import ReportView;"
        "text = pathlib.Path(sys.argv[1]).read_text(encoding='utf-8');"
        "write.write_all(data.serialize(ReportView.parse(text, 'report.json')), pathlib.Path(sys.argv[2]))"
    )
    drawn = []
    for seed, zone, language in (("1", "UTC", "C"), ("77", "Asia/Kathmandu", "tr_TR.UTF-8")):
        out = tmp_path / seed
        environ = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LANG": language, "LC_ALL": language}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "report.json"), str(out)], env=environ, check=True)
        drawn.append({file.name: file.read_bytes() for file in out.iterdir()})

    assert drawn[0] == drawn[1]
    assert drawn[0].keys() == OUTPUTS.keys()
