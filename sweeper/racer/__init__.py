"""The bundled demo build: a headless racing game that speaks the ML-Agents protocol as a player.

Options in `options`, the circuit in `track`, what a car sees in `sensors`, how it drives in `cars`; `parameters` and
`side_channels` take what the trainer sets, `messages` and `player` talk to it, `load` holds the artificial costs.
It imports nothing of the other rooms, and neither mlagents nor torch: a player must be light.
"""

from pathlib import Path

TRAINER_CONFIG = Path(__file__).parent / "Car_ppo.yaml"
"""An ordinary trainer config for it."""
