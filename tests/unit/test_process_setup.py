"""Every entry point makes the settings of the process before pydantic reads them."""

import subprocess
import sys
from pathlib import Path

import pytest

from promptci.process_setup import GC_THRESHOLD

ENTRY = Path(__file__).parents[2] / "entrypoint.py"
LOOK = """
import gc, os, runpy, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "pydantic":
            print("plugins", os.environ.get("PYDANTIC_DISABLE_PLUGINS"), "gc", gc.get_threshold()[0])
            os._exit(0)
sys.meta_path.insert(0, Finder())
sys.argv = sys.argv[1:]
{run}
"""
ENTRY_POINTS = {
    "command line": 'runpy.run_module("promptci", run_name="__main__")',
    "action": 'runpy.run_module("promptci.action", run_name="__main__")',
    "container": f'runpy.run_path({str(ENTRY)!r}, run_name="__main__")',
}


@pytest.mark.parametrize("run", ENTRY_POINTS.values(), ids=ENTRY_POINTS)
@pytest.mark.parametrize("set_by_user", [None, "other"])
def test_settings_are_made_before_pydantic_is_imported(
    run: str, set_by_user: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)
    if set_by_user:
        monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", set_by_user)
    command = [sys.executable, "-u", "-c", LOOK.format(run=run), "promptci", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"plugins {set_by_user or '__all__'} gc {GC_THRESHOLD[0]}\n", done.stderr
