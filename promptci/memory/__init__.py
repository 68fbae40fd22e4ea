"""Earlier runs: verdicts, people's feedback on them, and how often each case passed."""
