"""Emitters of prunable groups: one file an emitter."""
