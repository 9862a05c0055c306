"""Submissions from Kafka: from a topic into the log, by the rules that HTTP has.

A topic stands for one submitter: the file of topics maps it to an access key of the
ledger, and the broker's ACL says which principal may write to it. So nobody writes for
another, and roles, sources, types, unit, post and revocation are the key's, as the log
has them, over either door.

What happens to a record is told once, in ``worker``. Decisions that need a reason:

* **Offsets are committed last.** A crash anywhere leaves records to be read again; the
  log holds one event of each (``source``, ``id``): reading twice is no doubling. Dead
  letters and receipts are sent at least once: each has its offset in its headers.
  Kafka transactions would make them exact, at the price of one a batch and of brokers
  that must support them; the log, which counts, is exact without.
* **A revoked partition is dropped, not finished.** The client calls the listener on its
  network thread, where waiting for a database would stop the heartbeats of all other
  partitions. What was submitted is in the log; who has the partition next finds it.
* **Cooperative sticky assignment**: a worker that comes or goes stops only the
  partitions that move.
* **Nothing is dead-lettered that may go well later.** Database away, outcome of a
  commit unknown, broker away, answer topic not writable: the batch waits, partitions
  pause, the worker stays in the group. Only a decision of the rules, or bytes that are
  no event, goes to the dead letters.
* **One batch is in hand**, at most ``max_records`` of at most ``max_bytes`` of each
  broker; the client fetches the next meanwhile, and no further.
"""
