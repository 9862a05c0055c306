"""What happened, and proof of it. An auditor can import this package alone."""
