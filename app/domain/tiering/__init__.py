"""From scores to a tier: who decides, how quickly a tier may fall, what a decision records."""
