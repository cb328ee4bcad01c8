"""Tiers as served: assignments with their history, and the state behind them."""
