"""Socket.IO v5 over Engine.IO v4: polling, WebSocket and the change between them, as one more door to the hub.

From the wire inwards: requests and sockets (`polling`, `carrier`, `asgi_carrier`) belong to a `connection`, which is a session
of Engine.IO; a `client` is a connection that speaks Socket.IO, and is in namespaces; what it can say in one is a `vocabulary`.
"""
