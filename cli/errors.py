"""What the command says when it can't go on: one message for people, never a traceback."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

SIGN_IN: Final = (
    "sign in with “aws sso login” or “aws configure”, name a profile with --profile, or set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY"
)
REFUSED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "403"})
NOT_SIGNED_IN: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)

SIGN_IN_ENDED: Final = f"The AWS sign-in has ended ({{error}}): {SIGN_IN}."
UNREACHABLE: Final = (
    "AWS can't be reached: {error}. Check the network, the region and the AWS_ENDPOINT_URL_… variables."
)
# The first kind that an error is of counts.
ADVICE: Final[dict[type[BotoCoreError], str]] = {
    PartialCredentialsError: f"The AWS credentials are incomplete ({{error}}): {SIGN_IN}.",
    NoCredentialsError: f"There are no AWS credentials: {SIGN_IN}.",
    SSOTokenLoadError: SIGN_IN_ENDED,
    TokenRetrievalError: SIGN_IN_ENDED,
    UnauthorizedSSOTokenError: SIGN_IN_ENDED,
    NoRegionError: (
        "There is no AWS region: name one with --region eu-west-1, or set AWS_REGION and AWS_DEFAULT_REGION (AWS's "
        "tools don't all read the same one)."
    ),
    ProfileNotFound: "{error}: “aws configure list-profiles” lists those that are there.",
    EndpointConnectionError: UNREACHABLE,
    ConnectTimeoutError: UNREACHABLE,
    ReadTimeoutError: UNREACHABLE,
    ParamValidationError: "AWS takes no such request. {error}",
}


class CommandError(Exception):
    """The command can't go on; the message says why and what to do."""


def code_of(error: ClientError) -> str:
    """AWS's code for an error, such as ``AccessDenied``."""
    return str(error.response.get("Error", {}).get("Code", "an error without a code"))


def message_of(error: ClientError) -> str:
    """AWS's own words for an error."""
    return str(error.response.get("Error", {}).get("Message") or error)


def explained(error: BotoCoreError | ClientError) -> str:
    """An error of AWS or on the way there, with what to do about it."""
    if isinstance(error, ClientError):
        return _answered(error)
    advice = next((advice for kind, advice in ADVICE.items() if isinstance(error, kind)), "{error}")
    return advice.format(error=error)


def _answered(error: ClientError) -> str:
    code, message = code_of(error), message_of(error)
    if code in NOT_SIGNED_IN:
        return f"AWS doesn't accept the credentials ({code}: {message}): {SIGN_IN}."
    if code in REFUSED:
        return f"AWS refuses {error.operation_name}: {message} Allow it in the policy of your user or role."
    return f"AWS refuses {error.operation_name} ({code}): {message}"
