"""What Headway asks of the world, and the guarantees it builds on. Adapters live in `stores`, `buses`, `transports`."""
