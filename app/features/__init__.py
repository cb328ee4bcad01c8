"""HTTP and persistence by feature: router, schemas, service, repository, and nothing else."""
