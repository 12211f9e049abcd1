"""Finding duplicate questions: a Flask application beside Headway, and a worker that compares."""
