"""The teacher of a run: merge, inference engine, cache, prefetch."""
