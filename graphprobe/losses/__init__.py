"""Distillation losses, one file a loss; each defines LOSS."""
