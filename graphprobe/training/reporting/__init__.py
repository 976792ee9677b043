"""What a run reports: progress, logs, and its result."""
