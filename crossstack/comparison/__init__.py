"""`compare`: the stacked macro beside its baselines, all drawn, proved, extracted and solved."""
