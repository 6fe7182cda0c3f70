"""The error that an AWS service answers with."""


class AwsError(Exception):
    """A refusal that the client is told about, as botocore's ``ClientError`` shows it.

    Attributes:
        code: The name of the error, such as ``ValidationException`` or ``ResourceInUse``.
        message: What was wrong and what to do, for people.
        status: The HTTP status that it is answered with.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> AwsError:
    """A request of the right form that asks for something impossible.

    Args:
        message: What was found, what was expected and what to do.

    Returns:
        The ``ValidationException`` to raise.
    """
    return AwsError("ValidationException", message)
