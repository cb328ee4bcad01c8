"""Publications: a second person puts what was rehearsed in force, and takes it out again."""
