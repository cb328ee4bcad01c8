"""From columns of facts to classes of their partitions."""
