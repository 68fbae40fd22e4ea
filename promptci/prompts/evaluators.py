"""The evaluators of a prompt file."""

from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One answer that an LLM evaluator may give, and its score."""

    choice: str
    score: float
    """From 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StringEvaluator:
    """A `string:` evaluator of a prompt file."""

    name: str
    operator: str
    """`equals`, `contains`, `startsWith` or `endsWith`."""
    value: str
    """Operand, a template."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmEvaluator:
    """An `llm:` evaluator of a prompt file, or a `uses: github/…` one spelled out."""

    name: str
    model: str
    prompt: str
    """Template; `{{completion}}` is the answer under test."""
    system_prompt: str | None = None
    """Sent unchanged: GitHub does not fill in variables here."""
    choices: tuple[Choice, ...]
    last_line: bool = False
    """True where the evaluator's prompt asks for reasoning first and the score on the last line."""
    builtin: str | None = None
    """Name in `uses:`, such as `github/relevance`; None for one that the file spells out."""
