"""Running one trial plan: start the learner, watch and bound its process tree, stop it, leave nothing behind."""
