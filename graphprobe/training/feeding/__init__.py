"""From a data section to batches: readers, workers, caches."""
