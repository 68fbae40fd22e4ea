"""The auditor's binder: what the audit log and git say about each change, as one document, page or table."""
