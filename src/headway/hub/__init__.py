"""Where changes meet subscriptions: rules, the compacted log of each channel, pacing, access and liveness.

The hub knows records and links. It knows nothing of sockets, HTTP, tokens or databases.
"""
