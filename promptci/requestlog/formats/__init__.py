"""Request logs in every format that is read: containers (lines, columns, spans) of dialects (names of fields)."""
