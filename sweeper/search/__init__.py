"""Pooled view of all results ⇒ what is worth measuring next. A pure function of results: replay uses this very code."""
