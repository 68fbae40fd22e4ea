"""CI for prompts."""

__version__ = "0.1.0"
