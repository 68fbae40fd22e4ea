"""A runner over one repository: the Action with the environment, the event and the files that GitHub gives it."""

import io
import json
import os
from pathlib import Path
from typing import Any

from fakes import github as fake
from fakes import runner
from fakes.repo import RepoBuilder

from promptci.action import main

HERE, FORK = {"full_name": fake.REPOSITORY}, {"full_name": "mallory/shop", "owner": {"login": "mallory"}}


class Run:
    """A runner over one repository."""

    def __init__(self, folder: Path, builder: RepoBuilder, github: fake.GitHub) -> None:
        self.folder = folder
        self.builder = builder
        self.github = github
        self.attempt = 0
        self.workspace = builder.path
        self.event = "pull_request"
        self.payload: dict[str, Any] | None = None
        """None: a pull request of the branch that is checked out into `main`, from this repository."""
        self.output_text = ""
        self.err = ""

    def pull_request(self, head_repo: dict[str, Any] | None = HERE, **options: Any) -> dict[str, Any]:
        """Return the payload of a pull request of the branch that is checked out."""
        base, head = self.sha("main"), self.sha("HEAD")
        pull = {
            "number": 7,
            "body": None,
            "base": {"sha": base, "ref": "main", "repo": HERE},
            "head": {"sha": head, "ref": "topic", "repo": head_repo},
        }
        return {"action": "opened", "pull_request": pull, "repository": HERE, **options}

    def sha(self, rev: str) -> str:
        """Return a revision's commit."""
        return self.builder.git("rev-parse", rev)

    def environ(self, **options: str) -> dict[str, str]:
        """Return the variables; each call is one attempt more."""
        self.attempt += 1
        event = self.folder / "event.json"
        event.write_text(json.dumps(self.pull_request() if self.payload is None else self.payload))
        for name in ("output", "summary"):
            (self.folder / name).write_text("")
        return {
            "PATH": os.environ["PATH"],
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": fake.REPOSITORY,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_RUN_ID": "10",
            "GITHUB_RUN_ATTEMPT": str(self.attempt),
            "GITHUB_SHA": "f" * 40,
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "INPUT_GITHUB-TOKEN": fake.TOKEN,
            **options,
        }

    def __call__(self, **options: str) -> tuple[int, str]:
        """Run the Action; gives its exit code and all it printed."""
        out, err = io.StringIO(), io.StringIO()
        code = main.main(self.environ(**options), out, err)
        self.err = err.getvalue()
        assert "Traceback" not in self.err
        assert "Internal error" not in self.err, self.err
        return code, out.getvalue() + self.err

    @property
    def outputs(self) -> dict[str, str]:
        """What the step gave out, as the runner reads it."""
        return dict(runner.key_values((self.folder / "output").read_text()))

    @property
    def summary(self) -> str:
        """The step summary."""
        return (self.folder / "summary").read_text()

    @property
    def report(self) -> dict[str, Any]:
        """report.json."""
        loaded: dict[str, Any] = json.loads((self.workspace / "promptci-report" / "report.json").read_text())
        return loaded
