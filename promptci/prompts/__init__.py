"""Prompt files: bytes and a path in, a Prompt out."""
