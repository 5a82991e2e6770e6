"""What people and their tools see of verdicts: what a project makes of them, as tables, text and data."""
