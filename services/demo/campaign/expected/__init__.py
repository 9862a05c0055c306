"""What each report must show at an instant, from what the generator knows.

Rules of this package: one module a group of reports. Counting over what was generated,
by the definitions of the field; nothing of the read models, of the reports or of their
rules is imported, or the key would prove itself.
"""
