"""Adapters of the store port, one file for each technology, on one schema with its migrations."""
