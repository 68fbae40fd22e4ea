"""Presentation that report, site, comments and command line share: numbers, texts, escaping, charts, diffs."""
