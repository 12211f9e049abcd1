"""The server: the one place that wires the rooms together, and what only a server has (REST, tokens, settings)."""
