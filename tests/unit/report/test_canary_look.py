"""Lines about looks at a canary: where they go, and which looks are worth one."""

from pathlib import Path

import pytest
from fakes.repo import RepoBuilder

from promptci.errors import InputError
from promptci.git.data_branch import DataBranch
from promptci.report.canary_look import CANARIES, CanaryLookLine, LookMetric, add_looks


def look(hour: int = 0, outcome: str = "wait", status: str = "open", prompt: str = "order") -> CanaryLookLine:
    metric = LookMetric(
        metric="quality", status=status, control_n=10 * hour, canary_n=hour, need_worse=7.1, need_fine=3.0
    )
    return CanaryLookLine(
        at=f"2026-03-02T{hour:02}:00:00+00:00",
        environment="production",
        prompt=prompt,
        stable=f"prompts/{prompt}/v1.2.0",
        canary=f"prompts/{prompt}/v1.3.0",
        outcome=outcome,
        rules=("canary-open",),
        share=5,
        new_share=5,
        applied=True,
        requests=(10 * hour, hour),
        metrics=(metric,),
    )


@pytest.mark.parametrize(
    ("prompt", "path"),
    [
        ("order", "canary/production/order@v1.3.0.jsonl"),
        ("team/order", "canary/production/team%2Forder@v1.3.0.jsonl"),
        ("../../x", "canary/production/..%2F..%2Fx@v1.3.0.jsonl"),
        ("bestellung für zoë", "canary/production/bestellung f%C3%BCr zo%C3%AB@v1.3.0.jsonl"),
    ],
)
def test_every_name_has_a_file_of_its_own(prompt: str, path: str) -> None:
    assert look(prompt=prompt).path == path
    assert CANARIES.match(path)


def test_only_a_look_that_changes_something_gets_a_line(tmp_path: Path) -> None:
    branch = DataBranch(root=RepoBuilder(tmp_path / "shop").path)

    def add(*looks: CanaryLookLine) -> "str | None":
        return branch.append(lambda files: add_looks(files, looks), "looks")

    assert add(look(0)) is not None
    assert add(look(1)) is None
    assert add(look(2, status="worse")) is not None
    assert add(look(3, "roll back", "worse"), look(3, prompt="other")) is not None
    content = branch.files().read(look().path) or b""
    assert [CanaryLookLine.parse(line, "").at[11:13] for line in content.splitlines()] == ["00", "02", "03"]
    branch.append(lambda _: {look().path: b"nonsense\n"}, "broken")
    with pytest.raises(InputError, match="canary/production"):
        add(look(4))
