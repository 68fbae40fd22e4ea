"""Outputs for other programs: JUnit, SARIF, CSV."""
