"""Kafka, as every worker on it sees it: clients, topics, publishing, errors."""
