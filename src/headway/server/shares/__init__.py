"""Share links: the calls that make them, and the bare page, the embeddable bar and the badge that they open."""
