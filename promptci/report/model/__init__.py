"""ReportView: everything a report shows, and report.json."""
