"""Assertions about other assertions."""
