"""Shared set-up: nothing yet beyond what pytest's options give."""
