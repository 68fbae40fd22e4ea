"""The diff of a constant has the lines of its file."""

from promptci.prompts.load import load_prompts
from promptci.prompts.options import PromptOptions
from promptci.report.build.source_diff import diff_sources


def test_hunks_of_a_constant_are_numbered_by_the_lines_of_its_file() -> None:
    before, after = (
        load_prompts({"p.py": text.encode()}.get, {"p.py": (":A",)}, PromptOptions(model="m"))[0]["p.py:A"]
        for text in ("x = 1\nA = '''one\ntwo'''\n", "x = 1\n\n\nA = '''one\n2'''\n")
    )
    rows, note = diff_sources(before, after)
    assert ([(row.kind, row.text) for row in rows], note) == (
        [("hunk", "@@ -2,2 +4,2 @@"), ("context", "one"), ("removed", "two"), ("added", "2")],
        None,
    )
