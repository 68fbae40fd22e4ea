"""Answers and expectations in, scored cases out."""
