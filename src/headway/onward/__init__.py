"""Onward: telling systems outside of what happened, by webhooks and by whatever Apprise speaks. Knows nothing of REST."""
