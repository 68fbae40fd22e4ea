"""`promptci init` and `promptci check` work on repositories as people have them, without a change to a prompt."""

from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci, run_command
from support.repositories import BAD, GOOD, goldens, model, serving

LAYOUTS = {
    "markdown": ("prompts/order.md", "{}\n", "order"),
    "text at the root": ("order_prompt.txt", "{}\n", "order_prompt"),
    "jinja": ("prompts/order.j2", "{{% if true %}}{}{{% endif %}}\n", "order"),
    "python": ("src/prompts.py", 'import os\n\nORDER_PROMPT = """{}"""\nVERSION = os.name\n', "ORDER_PROMPT"),
    "typescript": ("src/prompts.ts", "export const orderPrompt = `{}`;\n", "orderPrompt"),
    "yaml": ("prompts.yaml", "order:\n  system: {}\n  user: '{{{{input}}}}'\n", "order"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_repository_is_set_up_and_a_regression_blocked(name: str, tmp_path: Path) -> None:
    path, template, prompt = LAYOUTS[name]
    builder = RepoBuilder(tmp_path / "shop")
    builder.write({path: template.format(GOOD), f"goldens/{prompt}.jsonl": goldens(12)}).commit("app")
    done = call_promptci(["init", "--provider", "openai"], builder.path, {})
    assert (done.returncode, f"`prompts.include` names: {path}" in done.stdout.replace("*.", f"{prompt}.")) == (0, True)
    assert not (builder.path / "prompts" / "email-finder.prompt.yml").exists()
    with serving(model) as server:
        config = (builder.path / "promptci.yml").read_text()
        config = config.replace("https://api.openai.com/v1", server.base_url).replace("mode: advise", "mode: block")
        config = config.replace("\nrun:", "\nrun:\n  repeats: 1\n  concurrency: 8").replace(
            "gate:", "gate:\n  max_p95_increase: null"
        )
        builder.write({"promptci.yml": config.replace("  budget_usd: 1.00\n", "")}).commit("init")
        builder.branch("pr").write({path: template.format(BAD)}).commit("worse")
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert (result.verdict, f"{prompt}" in result.text) == ("fail", True)
