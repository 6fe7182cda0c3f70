"""Sign-in at an OpenID Connect provider: authorization code flow with PKCE.

Authlib speaks to the provider, joserfc checks the token. See OpenID Connect Core 1.0, section 3.1, RFC 7636, and
OpenID Connect RP-Initiated Logout 1.0.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ground_truth_server.people.accounts import LONGEST_NAME, new_person
from ground_truth_server.people.oidc_settings import OidcSettings
from ground_truth_server.people.person import Role, of_person
from ground_truth_server.people.tokens import hash_of
from ground_truth_server.records.people import PersonRecord, SignInRecord
from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import now, to_text

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_TO_COME_BACK = timedelta(minutes=15)
_PATIENCE = 10.0  # seconds for each answer of the provider
_KEYS_KEPT = 300.0  # seconds
_LEEWAY = 60  # seconds between its clock and ours
_MOST_GROUPS = 500
_AWS_GROUPS = "sagemaker:groups"  # what Ground Truth asks providers to send


class SignInRefused(Exception):
    """Somebody came back from the provider and can't be let in. The text says why, for them."""


class ProviderUnavailable(Exception):
    """The provider can't be reached or doesn't answer as one does. The text says what was found."""


@dataclass(frozen=True)
class SignedIn:
    """Who came back, and where they wanted to go.

    Attributes:
        person: Who.
        goal: The path that they wanted.
        id_token: What the provider is told of when they sign out.
    """

    person: PersonRecord
    goal: str
    id_token: str = field(repr=False)


class OidcSignIn:
    """Signs people in at a provider. Safe to use from several threads, and by several servers.

    Args:
        find_settings: Tells the provider, which may change; ``None`` if there is none yet.
        records: Where people are kept.
        comes_back_to: The URL to which the provider sends people back.
        clock: Tells the time, with its zone.
    """

    def __init__(
        self,
        find_settings: Callable[[], OidcSettings | None],
        records: Records,
        comes_back_to: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._find_settings = find_settings
        self._records = records
        self._comes_back_to = comes_back_to
        self._clock = clock
        self._last: _Provider | None = None

    def begin(self, goal: str) -> tuple[str, str]:
        """Begin a sign-in.

        Args:
            goal: The path to go to afterwards.

        Returns:
            The URL at the provider to go to, and the state that the same browser must bring back.

        Raises:
            ProviderUnavailable: If the provider can't be reached.
        """
        endpoint = self._provider.endpoint("authorization_endpoint")
        nonce, verifier, state = (secrets.token_urlsafe(32) for _ in range(3))
        with self._session() as session:
            url, _ = session.create_authorization_url(endpoint, state=state, code_verifier=verifier, nonce=nonce)
        at = self._clock()
        with self._records.transaction():
            begun = SignInRecord(nonce, verifier, goal, to_text(at + _TO_COME_BACK))
            self._records.people.begin_sign_in(hash_of(state), begun, to_text(at))
        return url, state

    def end(self, state: str, answer: Mapping[str, str]) -> SignedIn:
        """Let in who came back.

        Args:
            state: What the browser kept since :meth:`begin`.
            answer: What the provider sent along, in the query.

        Raises:
            SignInRefused: If they can't be let in.
            ProviderUnavailable: If the provider can't be reached.
        """
        if not state or not secrets.compare_digest(state.encode(), answer.get("state", "").encode()):
            raise SignInRefused("This sign-in was not begun in this browser. Sign in again.")
        with self._records.transaction():
            begun = self._records.people.end_sign_in(hash_of(state))
        if begun is None or begun.ends < to_text(self._clock()):
            raise SignInRefused("This sign-in was used already, or took longer than 15 minutes. Sign in again.")
        if "error" in answer:
            reason = (answer.get("error_description") or answer["error"])[:200]
            raise SignInRefused(f"The sign-in service did not let you in: {reason}")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:  # RFC 9207
            raise SignInRefused("The answer came from another sign-in service. Sign in again.")
        tokens = self._fetch_tokens(answer.get("code", ""), begun.verifier)
        id_token = str(tokens.get("id_token", ""))
        claims = self._read(id_token, begun.nonce)
        told = self._user_info(tokens, claims["sub"])
        return SignedIn(self._keep({**told, **claims}), begun.goal, id_token)

    def sign_out_url(self, id_token: str | None, comes_back_to: str) -> str | None:
        """Give the provider's URL at which people sign out there too; nothing if it has none.

        Raises:
            ProviderUnavailable: If the provider can't be reached.
        """
        endpoint = self._provider.known().get("end_session_endpoint")
        if not endpoint:
            return None
        query = {"client_id": self._settings.client_id, "post_logout_redirect_uri": comes_back_to}
        if id_token:
            query["id_token_hint"] = id_token
        # Cognito has parameters of its own for the same.
        query["logout_uri"] = comes_back_to
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    @property
    def _provider(self) -> "_Provider":
        settings = self._find_settings()
        if settings is None or not settings.issuer:
            raise ProviderUnavailable("no provider is named: give --oidc-issuer, or a workforce's OidcConfig")
        found = self._last
        if found is None or found.settings != settings:
            found = self._last = _Provider(settings)
        return found

    @property
    def _settings(self) -> OidcSettings:
        return self._provider.settings

    # -- the provider's answers

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            self._settings.client_id,
            self._settings.client_secret or None,
            scope=self._settings.scope,
            redirect_uri=self._comes_back_to,
            token_endpoint_auth_method="client_secret_basic" if self._settings.client_secret else "none",
            code_challenge_method="S256",
            default_timeout=_PATIENCE,
        )

    def _fetch_tokens(self, code: str, verifier: str) -> Mapping[str, Any]:
        endpoint = self._provider.endpoint("token_endpoint")
        try:
            with self._session() as session:
                found: Mapping[str, Any] = session.fetch_token(endpoint, code=code, code_verifier=verifier)
        except OAuthError as error:
            raise SignInRefused(
                f"The sign-in service did not confirm it: {error.description or error.error}"
            ) from error
        except (requests.RequestException, ValueError) as error:
            raise _unavailable(endpoint, error) from error
        return found

    def _read(self, id_token: str, nonce: str) -> dict[str, Any]:
        """Check an ID token and give its claims."""
        try:
            token = self._decode(id_token)
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY,
                iss={"essential": True, "value": self._settings.issuer},
                aud={"essential": True, "value": self._settings.client_id},
                nonce={"essential": True, "value": nonce},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(token.claims)
        except (JoseError, ValueError) as error:
            raise SignInRefused(f"The sign-in service's token can't be taken: {error}") from error
        audience, authorized = token.claims["aud"], token.claims.get("azp", self._settings.client_id)
        if authorized != self._settings.client_id or (isinstance(audience, list) and len(audience) > 1):
            raise SignInRefused("The sign-in service's token is for another service.")
        return dict(token.claims)

    def _decode(self, id_token: str) -> jwt.Token:
        try:
            return jwt.decode(id_token, self._provider.keys(), _ALGORITHMS)
        except (JoseError, ValueError):  # it may have new keys
            return jwt.decode(id_token, self._provider.keys(anew=True), _ALGORITHMS)

    def _user_info(self, tokens: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """What the provider tells of a person beside the token; many keep groups and names for here."""
        endpoint = self._provider.known().get("userinfo_endpoint")
        if not endpoint or "access_token" not in tokens:
            return {}
        try:
            headers = {"Authorization": f"Bearer {tokens['access_token']}"}
            found = requests.get(endpoint, headers=headers, timeout=_PATIENCE, allow_redirects=False)
            found.raise_for_status()
            told = found.json()
        except (requests.RequestException, ValueError) as error:
            raise _unavailable(endpoint, error) from error
        # Another person's answer would be a substituted token: OpenID Connect Core 1.0, section 5.3.2.
        return told if isinstance(told, dict) and told.get("sub") == subject else {}

    def _keep(self, claims: Mapping[str, Any]) -> PersonRecord:
        """Keep what the provider says of a person now."""
        subject, groups = str(claims["sub"]), _groups(claims.get(self._settings.groups_claim, claims.get(_AWS_GROUPS)))
        name = _name(claims)
        with self._records.transaction():
            self._records.people.hold()
            known = self._records.people.find_subject(self._settings.issuer, subject)
            if known is None:
                at = to_text(self._clock())
                known = new_person(self._settings.issuer, subject, name, role=self._role(groups), groups=groups, at=at)
                self._records.people.add(known)
                told = {"issuer": known.issuer, "role": known.role, "groups": sorted(groups)}
                self._records.audit.write(None, "person.came", of_person(known.id), told)
            elif not known.active:
                raise SignInRefused("You may not sign in here any more. Ask the people who run this server.")
            else:
                before, known = known, replace(known, name=name, role=self._role(groups), groups=groups)
                self._records.people.change(known)
                if (before.role, before.groups) != (known.role, known.groups):
                    told = {"role": known.role, "groups": sorted(groups)}
                    self._records.audit.write(None, "person.changed", of_person(known.id), told)
        return known

    def _role(self, groups: frozenset[str]) -> Role:
        if self._settings.admin_group and self._settings.admin_group in groups:
            return "admin"
        return "owner" if self._settings.owner_group and self._settings.owner_group in groups else "worker"


class _Provider:
    """What a provider says of itself, and its keys; asked for when it is needed, and again when it is old."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._known: Mapping[str, Any] = dict(settings.endpoints)
        self._described = {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= self._known.keys()
        self._keys: KeySet | None = None
        self._keys_from = 0.0

    def known(self) -> Mapping[str, Any]:
        """Give its description."""
        with self._lock:
            if not self._described:
                url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                described = _read_json(url)
                if described.get("issuer") != self.settings.issuer:
                    found = str(described.get("issuer"))[:200]
                    raise ProviderUnavailable(f"{url} describes {found!r}, expected {self.settings.issuer!r}.")
                self._known = {**described, **dict(self.settings.endpoints)}
                self._described = True
            return self._known

    def endpoint(self, name: str) -> str:
        """Give one of its URLs."""
        found = self.known().get(name)
        if not isinstance(found, str):
            raise ProviderUnavailable(f"{self.settings.issuer} names no {name}.")
        return found

    def keys(self, *, anew: bool = False) -> KeySet:
        """Give the keys that it signs with; new ones are asked for every ten seconds at most."""
        url = self.endpoint("jwks_uri")
        with self._lock:
            age = time.monotonic() - self._keys_from
            if self._keys is None or age > _KEYS_KEPT or (anew and age > 10):
                try:
                    self._keys = KeySet.import_key_set(_read_json(url))  # type: ignore[arg-type]  # checked by it
                except (JoseError, ValueError, KeyError, TypeError) as error:
                    raise _unavailable(url, error) from error
                self._keys_from = time.monotonic()
            return self._keys


def _read_json(url: str) -> dict[str, Any]:
    try:
        answer = requests.get(url, timeout=_PATIENCE)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise _unavailable(url, error) from error
    if not isinstance(found, dict):
        raise ProviderUnavailable(f"{url}: found {type(found).__name__}, expected a JSON object.")
    return found


def _unavailable(url: str, error: Exception) -> ProviderUnavailable:
    return ProviderUnavailable(f"{url}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _groups(claim: object) -> frozenset[str]:
    """Read the groups claim: a list, or as some providers have it one text."""
    found = claim.replace(",", " ").split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return frozenset(one for one in found[:_MOST_GROUPS] if isinstance(one, str) and one)


def _name(claims: Mapping[str, Any]) -> str:
    told = (claims.get(claim) for claim in ("name", "preferred_username", "email", "sub"))
    name = next((" ".join(one.split()) for one in told if isinstance(one, str) and one.strip()), "")
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME] or "nameless"
