"""Emitters of pairs: one file an emitter."""
