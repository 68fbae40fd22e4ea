"""FindingText: the words of one finding, in the two lengths that the outputs need."""

from typing import NamedTuple


class FindingText(NamedTuple):
    """A predicate and what follows it."""

    summary: str
    """Read after the prompt's name, without a full stop: `got worse: 58 of 60 cases passed before, 31 of 60 after`.
    Of a finding about the whole run, a sentence of its own."""
    detail: str = ""
    """Whole sentences: the statistics behind it, and what to do."""
    verbatim: bool = False
    """The summary begins with a path or another name whose first letter must stay as it is."""

    @property
    def sentence(self) -> str:
        """The summary as a sentence."""
        text = self.summary if self.verbatim else capitalize(self.summary)
        return text if text.endswith("?") else f"{text}."

    @property
    def text(self) -> str:
        """Everything there is to say."""
        return f"{self.sentence} {self.detail}".rstrip()


def capitalize(text: str) -> str:
    """Return the text with its first letter in upper case, the others as they are."""
    return text[:1].upper() + text[1:]
