"""The phase model: what a session teaches about every configuration that shares one of its two phases.

In a cycle the learner collects a buffer and then updates its policy, so that

    seconds a step = C(environments, areas) + U(batch size)

and where `threaded` lets them overlap, less. `coordinates` says where configurations lie, `readings` what sessions
said, `latents` what may be true before any of them, `posterior` what is believed after them, `gain` what another
session would be worth, and `search` asks for it.
"""
