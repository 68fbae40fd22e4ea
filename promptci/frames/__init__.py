"""pandas DataFrames of what promptci writes, for notebooks: reports, the memory of checks, the history branch.

Needs the extra `frames`. Nothing here is used by a run.
"""

from promptci.frames.history import load_history
from promptci.frames.memory import load_verdicts
from promptci.frames.report import load_cases, load_prompts

__all__ = ["load_cases", "load_history", "load_prompts", "load_verdicts"]
