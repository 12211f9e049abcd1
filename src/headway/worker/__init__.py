"""The side of the job: turns what it says into conflated, retried reports. It never raises into the job, nor blocks it."""
