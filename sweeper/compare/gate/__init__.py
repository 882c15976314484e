"""The gate's statistics: is one side slower than the other, decided in looks at paired differences as they grow."""
