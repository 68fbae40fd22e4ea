"""What earlier runs found: verdicts, people's judgement of them, and how often each case passed."""
