"""Which tensors of student and teacher belong together."""
