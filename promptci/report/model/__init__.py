"""ReportView: everything that a report shows, and report.json."""
