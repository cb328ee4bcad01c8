"""Jobs as their starters see them: state, progress, why one died; cancel and requeue."""
