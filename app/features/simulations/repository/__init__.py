"""SQL of simulations."""
