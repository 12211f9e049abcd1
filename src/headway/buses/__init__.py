"""Adapters of the bus port, one file for each technology."""
