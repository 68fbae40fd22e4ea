"""GitHub: text, a verdict, annotations and paths in; a comment, a status and outputs there."""
