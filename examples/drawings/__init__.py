"""Uploaded drawings analysed by a Celery worker, followed over one raw WebSocket for each user."""
