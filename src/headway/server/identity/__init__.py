"""Who somebody is: keys, tokens, worker keys and tickets in, grants out; and what was taken back.

It knows nothing of connections: whoever has one asks here, and is told what was revoked.
"""
