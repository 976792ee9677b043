"""Where a trainable network comes from."""
