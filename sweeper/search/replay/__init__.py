"""Search strategies on recorded trials: any `results.json` with repeats is a surface."""
