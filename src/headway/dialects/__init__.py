"""Contracts that clients of other systems already speak, translated to and from records. Pure."""
