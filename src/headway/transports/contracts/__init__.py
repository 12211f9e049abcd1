"""The doors of contracts that are older than Headway: raw WebSockets, streams and REST in their words (`headway.dialects`)."""
