"""A Flask application beside Headway."""
