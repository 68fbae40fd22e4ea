"""Texts on single cases: their outcome, where two answers differ, and which cases are shown first."""
