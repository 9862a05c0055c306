"""The demonstration's campaign: sixty fictional days, and the answers to them.

Rules of this package: everything is made from a seed and from nothing else (no clock,
no chance, no file), and all of it is simulated (模拟数据). The answer key is counted
while the events are made, with dicts; no read model is asked, or it would prove itself.
"""
