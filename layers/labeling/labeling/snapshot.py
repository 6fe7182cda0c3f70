"""SnapStart: what a function does before Lambda takes its snapshot, and after it is restored from one.

Lambda runs a new version's start once, keeps the process as a snapshot, and restores each execution environment from
it. What is done before the snapshot costs no cold start any time; what the snapshot can't keep, such as connections and
credentials, is made anew after it.
"""

from collections.abc import Callable

try:
    import snapshot_restore_py
except ImportError:  # it comes with Lambda's runtime, and there is no snapshot anywhere else
    snapshot_restore_py = None


def prepare(warm: Callable[[], object], renew: Callable[[], object]) -> None:
    """Registers what to do around a snapshot; does nothing where functions don't run from one.

    Args:
        warm: Called before the snapshot: does once what a first call would otherwise pay for. It must not depend on
            permissions or the network: a version whose start fails is not published.
        renew: Called after each restore.
    """
    if snapshot_restore_py is None:
        return
    snapshot_restore_py.register_before_snapshot(warm)
    snapshot_restore_py.register_after_restore(renew)
