"""Which channels lie where, and how they pass an op: what pruning follows."""
