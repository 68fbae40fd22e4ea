"""Texts with variables: find them, fill them in."""
