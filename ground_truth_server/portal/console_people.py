"""The console's page of people, for admins: who they are, and whether they may sign in."""

from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ground_truth_server.people.directory import Directory
from ground_truth_server.portal.console_access import owner_of
from ground_truth_server.portal.web_pages import page
from ground_truth_server.records.people import PersonRecord
from ground_truth_server.records.records import Records


class PeoplePage:
    """Shows people, signs them out, and lets them sign in no more.

    Args:
        records: Where they are kept.
        invites: Whether people come by invitation.
    """

    def __init__(self, records: Records, *, invites: bool) -> None:
        self._records = records
        self._invites = invites
        self._directory = Directory(records)

    def routes(self) -> Sequence[Route]:
        """Give the page's routes."""
        return [
            Route("/people", self._list),
            Route("/people/{person}/sign-out", self._doing(self._sign_out), methods=["POST"]),
            Route("/people/{person}/disable", self._doing(self._disable), methods=["POST"]),
            Route("/people/{person}/enable", self._doing(self._enable), methods=["POST"]),
        ]

    def _list(self, request: Request) -> Response:
        _check_admin(request)
        return page(
            request,
            "console_people.html",
            people=self._directory.all(),
            own=owner_of(request).id,
            invites=self._invites,
        )

    def _doing(self, action: Callable[[PersonRecord], None]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            _check_admin(request)
            person = self._records.people.find(request.path_params["person"])
            if person is None:
                raise HTTPException(404, "There is nobody of this id.")
            if person.id == owner_of(request).id:
                raise HTTPException(409, "This is you. Another admin, or ground-truth people, can do that.")
            action(person)
            return RedirectResponse(f"{request.scope['root_path']}/people", 303)

        return endpoint

    def _sign_out(self, person: PersonRecord) -> None:
        self._directory.end_sessions(person)

    def _disable(self, person: PersonRecord) -> None:
        self._directory.set_active(person, active=False)

    def _enable(self, person: PersonRecord) -> None:
        self._directory.set_active(person, active=True)


def _check_admin(request: Request) -> None:
    if not owner_of(request).is_admin:
        raise HTTPException(403, "This page is for admins.")
