"""SnapStart's hooks, where there are any."""

import types
from collections.abc import Callable

import pytest
from labeling import snapshot


def test_hooks_are_registered_with_lambda_s_own_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is part of Lambda's runtime; one of the same two functions stands in for it here."""
    called: list[Callable[[], object]] = []
    stand_in = types.SimpleNamespace(register_before_snapshot=called.append, register_after_restore=called.append)
    monkeypatch.setattr(snapshot, "snapshot_restore_py", stand_in)
    snapshot.prepare(warm := lambda: None, renew := lambda: None)
    assert called == [warm, renew]


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "snapshot_restore_py", None)
    snapshot.prepare(lambda: None, lambda: None)
