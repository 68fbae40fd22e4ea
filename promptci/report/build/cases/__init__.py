"""Views of cases, and where many of them are kept."""
