"""Reading bodies; that of a batch quickly when all of it is good, report by report when some of it is not."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from litestar import Request

from headway.errors import BadMessage, InvalidField, UnknownType
from headway.model.report import MAX_REPORTS, Batch, Rejected, Report

__all__ = ["JsonRequest", "read_batch"]

_read = msgspec.json.Decoder(Batch).decode
_read_report = msgspec.json.Decoder(Report).decode


class JsonRequest(Request[Any, Any, Any]):
    """A request whose body is refused in words, whatever is wrong with it."""

    async def json(self) -> Any:
        """See `Request.json`.

        Raises:
            BadMessage: it is not UTF-8, or nested too deeply to read.
            InvalidField: a text stands where there must be something else.
        """
        try:
            value = await super().json()
        except (UnicodeDecodeError, RecursionError):
            raise BadMessage("The body is not JSON") from None
        self._check_types(value)
        return value

    def _check_types(self, value: Any) -> None:
        """Litestar reads bodies as it reads queries, where all is text: `"5"` would do for a number there.

        Raises:
            InvalidField: a text stands where there must be something else.
        """
        wanted = self.route_handler.parsed_fn_signature.parameters.get("data")
        if wanted is None:
            return
        try:
            msgspec.convert(value, wanted.raw, strict=True)
        except msgspec.ValidationError as error:
            # What is wrong in other ways is said as ever, by whoever reads it next.
            said, _, place = str(error).partition(" - at `$.")
            if "got `str`" in said and place:
                field = re.split(r"[.\[`]", place, maxsplit=1)[0]
                raise InvalidField(f"{field}: {said}", field=field) from None


class _RawBatch(msgspec.Struct):
    reports: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_REPORTS)]


_read_raw = msgspec.json.Decoder(_RawBatch).decode


def read_batch(body: bytes) -> tuple[Batch, list[Rejected], list[int]]:
    """Read a batch; one malformed report must not sink the others.

    Returns:
        the good reports, the refusals of the others, and where each good report stood.

    Raises:
        BadMessage: it is not JSON, or no batch.
        InvalidField: it has too many reports.
    """
    try:
        batch = _read(body)
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadMessage("The body is not JSON") from None
    else:
        return batch, [], list(range(len(batch.reports)))
    try:
        raw = _read_raw(body)
    except msgspec.ValidationError:
        raise InvalidField(
            f'A batch is {{"reports": [...]}} with at most {MAX_REPORTS} reports', field="reports"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadMessage("The body is not JSON") from None
    good: list[Report] = []
    places: list[int] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(raw.reports):
        try:
            good.append(_read_report(item))
            places.append(index)
        except msgspec.ValidationError as error:
            code = (
                UnknownType.code
                if "Invalid value" in str(error) and "$.type" in str(error)
                else InvalidField.code
            )
            rejected.append(Rejected(index, code, str(error)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            rejected.append(Rejected(index, BadMessage.code, "The report cannot be read"))
    return Batch(good), rejected, places
