"""Pictures from a few words: task cards on every device, and a renderer that works tile by tile."""
