"""How a deployment grows: many processes, both brokers, both stores, at any rate."""
