"""Statistics across sessions: pooled configurations, constraints, speed-up. Pure."""
