"""Fold ops into units, blocks and stages."""
