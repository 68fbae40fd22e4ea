"""Decisions of people about a change: approvals that it takes, and overrides of what the gate decided."""
