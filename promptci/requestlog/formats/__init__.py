"""Request logs in every format that is read: lines, columns and spans, into one database."""
