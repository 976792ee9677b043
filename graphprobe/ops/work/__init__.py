"""Multiply-adds: how often each weight is used."""
