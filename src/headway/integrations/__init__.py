"""Job queues and libraries that report by themselves, one lazy module each."""
