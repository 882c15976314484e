"""Parse, call one use case, print, map errors to exit codes. Nothing else."""
