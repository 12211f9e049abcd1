"""Price files analysed in batches: FastAPI with Headway mounted, and an inbox that tells when a report is ready."""
