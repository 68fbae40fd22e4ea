"""What changed between a released version and the one before it, read from git when a page is drawn."""

from collections.abc import Callable
from contextlib import closing

from promptci.config.find import load_revision_config
from promptci.errors import PromptciError
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.prompts.find import find_selected_files
from promptci.prompts.load import load_prompts
from promptci.prompts.model import Prompt
from promptci.registry.bump import compare_prompts, diff_messages
from promptci.site.collect.history_lines import Clean
from promptci.site.model import ReleasedVersion, SitePrompt, VersionChange

MAX_LINES = 120
ReadChange = Callable[[SitePrompt, ReleasedVersion, ReleasedVersion], VersionChange]
"""Takes a prompt, the version before and the one after."""


class VersionChanges:
    """Compares released versions; of a commit only the file of the prompt is parsed, where it still is there."""

    def __init__(self, repo: Repo, config_path: str, clean: Clean) -> None:
        self._repo, self._config_path, self._clean = repo, config_path, clean

    def read(self, prompt: SitePrompt, before: ReleasedVersion, after: ReleasedVersion) -> VersionChange:
        """Return what differs."""
        try:
            old, new = (self._load(prompt, version) for version in (before, after))
        except PromptciError as error:
            return VersionChange(problem=self._clean(" ".join(str(error).split())))
        if old is None or new is None:
            return VersionChange(problem="A commit of the two does not hold the prompt.")
        lines = diff_messages(old, new)
        cut = [f"@@ and {len(lines) - MAX_LINES} more lines @@"] if len(lines) > MAX_LINES else []
        return VersionChange(
            facts=tuple(self._clean(fact) for fact in compare_prompts(old, new).facts),
            lines=tuple(self._clean(line) for line in (*lines[:MAX_LINES], *cut)),
        )

    def _load(self, prompt: SitePrompt, version: ReleasedVersion) -> Prompt | None:
        with closing(self._repo.snapshot(version.commit)) as snapshot:
            return self._find(snapshot, prompt)

    def _find(self, snapshot: Snapshot, prompt: SitePrompt) -> Prompt | None:
        config = load_revision_config(snapshot, self._config_path)
        files = find_selected_files(snapshot, config.prompts.include)
        for chosen in ({path: files[path] for path in files if path == prompt.path}, files):
            loaded, _ = load_prompts(snapshot.read, chosen, config.prompt_options, snapshot.glob)
            for each in loaded.values():
                if each.name == prompt.name:
                    return each
        return None
