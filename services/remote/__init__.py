"""Read models on other machines: kept up to date from a topic, by any number.

Why it is as it is:

* **Every partition is a line of its own.** All read models fold by stream, and a stream
  lies whole in one partition (``projections.partitions``). Workers share one database
  and no row. Each database, and each version of the read models, is a consumer group
  of its own: all of them need the whole topic.
* **Kafka's offsets are not trusted.** Rows, offset and position of a partition are one
  transaction, on the condition that they are where this worker left them. A worker that
  has lost a partition and does not know it writes nothing; no offset is committed.
* **Nothing is skipped.** Each record names the one before it in its partition. What is
  missing, out of order, foreign or not what was sealed stops its partition, and says
  so; the other partitions go on. Repetitions are recognised by their position.
* **Readers see a cut of the log**: the position that all partitions have reached. What
  some have beyond that is in the tables and is not shown (``projections.cuts``).
"""
