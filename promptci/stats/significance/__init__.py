"""Tests of significance: exact, sequential, and corrected for several."""
