"""What a run tells: progress, logs, and its result."""
