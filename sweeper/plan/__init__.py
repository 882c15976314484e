"""What is derived from what users write: the space of legal configurations, and trials on paper. Pure."""
