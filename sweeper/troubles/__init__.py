"""What goes wrong when people train, and its remedy: one table, read by whoever says it and by the page of the docs."""

from sweeper.troubles.beforehand import BEFOREHAND as BEFOREHAND
from sweeper.troubles.endings import ENDINGS as ENDINGS
from sweeper.troubles.learner import BY_THE_LEARNER as BY_THE_LEARNER
from sweeper.troubles.players import BY_PLAYERS as BY_PLAYERS
from sweeper.troubles.players import OF_PLAYERS as OF_PLAYERS
from sweeper.troubles.trouble import Trouble as Trouble

TROUBLES: tuple[Trouble, ...] = (*BEFOREHAND, *BY_THE_LEARNER, *BY_PLAYERS, *OF_PLAYERS, *ENDINGS)
