"""Relay: the log goes out on a topic of Kafka, whole and in order."""
