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
* **One batch is in hand**, of at most ``max_records``; the client fetches at most 1 MiB
  of each partition ahead, and no further. What it fetches may be compressed: the
  brokers' ``message.max.bytes`` bounds that.
* **A record that the client cannot take apart** makes ``poll`` of kafka-python 3.0.12
  raise without saying where, and then never return. So it is looked for, told of among
  the dead letters, and passed; a failed checksum is not passed.
"""
