"""Endings of the files in which prompts are, by format."""

GITHUB = (".prompt.yml", ".prompt.yaml")
PROMPTY = (".prompty",)
DOTPROMPT = (".prompt",)
TEXT = (".txt", ".md", ".markdown")
JINJA = (".j2", ".jinja", ".jinja2")
PYTHON = (".py",)
SCRIPT = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
CODE = (*PYTHON, *SCRIPT)
DATA = (".yaml", ".yml", ".json", ".toml")
