"""The installed wheel is whole: it holds the templates, the example and the schemas, and draws a report."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, prompt, shop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    (built,) = out.glob("promptci_action-*.whl")
    return built


def test_the_wheel_holds_every_file_that_is_not_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for source, target in (("templates", "templates"), ("example-repo", "example-repo"), ("javascript", "javascript")):
        for path in (ROOT / source).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                assert f"promptci/_data/{target}/{path.relative_to(ROOT / source).as_posix()}" in names
    schemas = {"promptci/config/promptci.schema.json", "promptci/report/model/report.schema.json"}
    assert {
        *schemas,
        "promptci/scoring/judges/prompt_injections.toml",
        "promptci/py.typed",
        "promptci/runtime.py",
    } <= names


@pytest.mark.long
def test_the_installed_package_draws_a_report(wheel: Path, tmp_path: Path) -> None:
    # The dependencies are this environment's; the package itself is the wheel's and not the source tree's.
    venv.create(tmp_path / "venv", with_pip=False)
    site = next((tmp_path / "venv" / "lib").glob("python*")) / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)
    here = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (site / "others.pth").write_text(str(here) + "\n")
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3), "promptci.yml": config()})
    code = (
        "import sys, promptci, pathlib; assert pathlib.Path(promptci.__file__).is_relative_to(sys.prefix), promptci;"
        "from promptci.cli import main; main(['run', '--head', 'HEAD', '--out', sys.argv[1]])"
    )
    done = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "python"), "-P", "-c", code, str(tmp_path / "out")],
        cwd=builder.path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 4, done.stderr  # there is no key: an error, with a whole report
    assert "OPENAI_API_KEY" in (tmp_path / "out" / "report.html").read_text()
