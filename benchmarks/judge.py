"""Figures beside what is required of them."""


class Judge:
    """Prints figures beside what is required of them."""

    def __init__(self) -> None:
        self.failed = False

    def __call__(self, what: str, found: float, unit: str, *, most: float | None = None, least: float = 0) -> None:
        """Print one."""
        wrong = found < least or (most is not None and found > most)
        self.failed |= wrong
        required = f"at most {most:,g}" if most is not None else f"at least {least:,g}" if least else ""
        print(
            f"{what:>44} {found:>10,.1f} {unit:<10} {required:<16} {'TOO MUCH OR LITTLE' if wrong else ''}", flush=True
        )
