"""What is promised to whom: SLA policies, and the floors the law sets."""
