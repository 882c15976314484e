"""Frozen values that the rooms pass to each other. They know no file, process, storage or clock."""
