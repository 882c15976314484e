"""The Optuna study on disk: open, resume, read, write. The only room that knows the storage."""

from sweeper.store.patience import Patience
from sweeper.store.study import Recovered, Store

__all__ = ["Patience", "Recovered", "Store"]
