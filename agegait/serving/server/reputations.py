from collections import OrderedDict

_REMEMBERED = 4096


class Reputations:
    """Whether connections did what they began, of the last 4,096 that were reported. Not to be shared by threads."""

    def __init__(self) -> None:
        self._good: OrderedDict[str, bool] = OrderedDict()

    def tell(self, connection: str, good: bool) -> None:
        """Remembers whether a connection did what it began, the last time."""
        self._good[connection] = good
        self._good.move_to_end(connection)
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)

    def of(self, connection: str) -> bool | None:
        """Whether it did so the last time; None where nothing is known of it."""
        return self._good.get(connection)

    def distrust(self, connection: str) -> int:
        """0 for a connection that did what it began, 1 for one that is not known, 2 for one that did not."""
        return {True: 0, None: 1, False: 2}[self.of(connection)]
