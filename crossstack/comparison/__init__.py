"""`compare`: the stacked macro beside its baselines, all drawn, verified, extracted and solved."""
