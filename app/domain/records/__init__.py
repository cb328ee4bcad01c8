"""Raw records: what a record holds, how a foreign file becomes records, what a row must satisfy."""
