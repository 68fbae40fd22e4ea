"""The audit log: a chain of lines on the history branch, one per decision."""
