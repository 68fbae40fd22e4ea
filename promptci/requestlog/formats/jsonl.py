"""JSON lines, and a file that is one JSON array of objects."""

from pathlib import Path

from promptci.requestlog.formats.source import JsonSource, quote_text
from promptci.requestlog.formats.text_lines import MAX_LINE_BYTES, plain_file

MAX_ARRAY_BYTES = 2**30


def lines_of(path: Path, folder: Path, max_line: int = MAX_LINE_BYTES) -> str:
    """Return SQL for the lines of a file, in their order."""
    plain = quote_text(str(plain_file(path, folder, max_line)))
    return f"""read_csv({plain}, columns = {{'line': 'VARCHAR'}}, delim = '\x1f', quote = '', escape = '', header = false,
        auto_detect = false, new_line = '\\n', strict_mode = false, max_line_size = {2 * max_line}, compression = 'none')"""  # noqa: E501


def json_lines(path: Path, folder: Path) -> JsonSource:
    """Return the objects of a file with one on each line."""
    return JsonSource(lines_of(path, folder))


def json_array(path: Path) -> JsonSource:
    """Return the objects of a file that is one array."""
    text = f"read_text({quote_text(str(path))})"
    return JsonSource(f"""(select unnest(from_json(content::json, '["JSON"]'))::varchar as line from {text})""")  # noqa: S608 - quoted
