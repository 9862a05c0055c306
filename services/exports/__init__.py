"""The log in the formats of others: streamed from its entries, of one cut."""
