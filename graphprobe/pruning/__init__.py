"""What can be pruned, why, what goes together, and how much of it."""
