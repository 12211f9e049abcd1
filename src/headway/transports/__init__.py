"""Doors: how clients reach the hub. Each turns bytes into messages for a session and is the link to its client."""
