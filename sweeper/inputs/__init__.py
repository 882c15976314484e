"""What users write: study file, trainer config, numbers with units; read, checked and rewritten."""
