"""Answers of both arms that a judge is to mark."""
