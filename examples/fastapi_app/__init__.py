"""Headway inside a FastAPI application."""
