"""SQL of imports: staging, records, the dated history of customers, runs."""
