"""What is logged holds no personal data, whoever logs it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import logging.config
from collections.abc import Iterator

import asyncpg
import pytest
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser
from sqlalchemy.exc import IntegrityError

from app.infra.logging import (
    ExceptionScrubber,
    GatheringHandler,
    JsonFormatter,
    configure_logging,
    describe_exception,
    uvicorn_logging,
)

SENTINEL = "sentinel-4711"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The lines that a handler of ours writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(ExceptionScrubber())
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def _last(lines: io.StringIO) -> dict[str, object]:
    found: dict[str, object] = json.loads(lines.getvalue().splitlines()[-1])
    return found


def _violation() -> IntegrityError:
    driver = asyncpg.UniqueViolationError(SENTINEL)
    driver.detail = f"Key (phone)=({SENTINEL}) already exists."
    try:
        try:
            raise driver
        except asyncpg.UniqueViolationError as error:
            raise IntegrityError(f"INSERT {SENTINEL}", {"phone": SENTINEL}, error) from error
    except IntegrityError as error:
        return error


def test_an_exception_is_told_by_types_states_and_frames_only(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=_violation())
    line = _last(lines)
    assert SENTINEL not in lines.getvalue()
    assert line["event"] == "Exception in ASGI application"
    assert line["exception"] == {
        "types": [
            "sqlalchemy.exc.IntegrityError",
            "asyncpg.exceptions.UniqueViolationError",
        ],
        "sqlstates": ["23505"],
        "frames": line["exception"]["frames"],  # type: ignore[index]
    }
    assert line["exception"]["frames"]


def test_an_exception_given_as_an_argument_is_told_by_its_type(lines: io.StringIO) -> None:
    logging.getLogger("app.x").warning("failed: %s after %d", ValueError(SENTINEL), 3)
    assert _last(lines)["event"] == "failed: ValueError after 3"


def test_arguments_of_others_are_not_told(lines: io.StringIO) -> None:
    logging.getLogger("asyncpg").warning("notice: %s", SENTINEL)
    logging.getLogger("other").warning(ValueError(SENTINEL))
    logging.getLogger("other").warning("%(a)s", {"a": SENTINEL})
    assert SENTINEL not in lines.getvalue()
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == [
        "notice: %s",
        "ValueError",
        "%(a)s",
    ]


def test_of_the_server_only_what_is_known_to_be_harmless_is_told(lines: io.StringIO) -> None:
    server = logging.getLogger("uvicorn.error")
    server.info('%s - "WebSocket %s" 403', "127.0.0.1", f"/v1/customers?phone={SENTINEL}")
    server.error("Traceback ...\n" + SENTINEL)
    server.error(OSError(SENTINEL))
    server.info("Uvicorn running on %s://%s:%d (Press CTRL+C to quit)", "http", "::1", 8000)
    server.error("Exception in ASGI application\n")
    assert SENTINEL not in lines.getvalue()
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == [
        "a message of the server",
        "a message of the server",
        "OSError",
        "Uvicorn running on http://::1:8000 (Press CTRL+C to quit)",
        "Exception in ASGI application",
    ]


@pytest.fixture
def multipart_level() -> Iterator[None]:
    """The parser of forms at the level that our configuration gives it."""
    logger = logging.getLogger("python_multipart")
    logger.setLevel(uvicorn_logging()["loggers"]["python_multipart"]["level"])
    yield
    logger.setLevel(logging.NOTSET)


def _read_a_broken_upload() -> None:
    with pytest.raises(FormParserError):
        MultipartParser(b"boundary").write(b"--" + SENTINEL.encode())


@pytest.fixture
def no_multipart_level() -> Iterator[None]:
    """The parser of forms as it comes; a service that was run in this process has set its level."""
    logger = logging.getLogger("python_multipart")
    before = logger.level
    logger.setLevel(logging.NOTSET)
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("no_multipart_level")
def test_the_parser_of_forms_tells_what_it_reads(lines: io.StringIO) -> None:
    """Which is why it has a level of its own."""
    _read_a_broken_upload()
    assert lines.getvalue()


@pytest.mark.usefixtures("multipart_level")
def test_the_bytes_of_an_upload_are_not_told(lines: io.StringIO) -> None:
    _read_a_broken_upload()
    assert not lines.getvalue()


def test_only_known_fields_are_told(lines: io.StringIO) -> None:
    logging.getLogger("app.x").info(
        "request", extra={"status": 200, "phone": SENTINEL, "reason": ValueError(SENTINEL)}
    )
    assert _last(lines)["status"] == 200
    assert _last(lines)["reason"] == "ValueError"
    assert SENTINEL not in lines.getvalue()


def test_a_stack_is_not_told(lines: io.StringIO) -> None:
    logging.getLogger("app.x").info("here", stack_info=True)
    assert _last(lines).keys() == {"at", "level", "logger", "event"}


def test_an_endless_chain_is_cut() -> None:
    error = ValueError()
    error.__context__ = error
    assert len(describe_exception(error)["types"]) == 5  # type: ignore[arg-type]


def test_a_suppressed_context_is_not_told() -> None:
    error = ValueError()
    error.__context__ = KeyError()
    error.__suppress_context__ = True
    assert describe_exception(error)["types"] == ["builtins.ValueError"]


class Written(io.StringIO):
    """A stream that knows each call of `write`."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def write(self, text: str) -> int:
        self.calls.append(text)
        return super().write(text)


def told(level: int, event: str) -> logging.LogRecord:
    return logging.LogRecord("app.x", level, "", 0, event, (), None)


def test_lines_of_one_turn_are_written_together_and_a_warning_at_once() -> None:
    stream = Written()
    handler = GatheringHandler(stream)

    async def turns() -> None:
        for event in ("a", "b"):
            handler.handle(told(logging.INFO, event))
        assert stream.calls == []
        await asyncio.sleep(0)
        assert stream.calls == ["a\nb\n"]
        handler.handle(told(logging.INFO, "c"))
        handler.handle(told(logging.ERROR, "d"))
        assert stream.calls == ["a\nb\n", "c\nd\n"]
        await asyncio.sleep(0)
        handler.handle(told(logging.INFO, "e"))

    asyncio.run(turns())
    handler.handle(told(logging.INFO, "f"))
    assert stream.getvalue() == "a\nb\nc\nd\ne\nf\n"


def test_no_line_waits_for_a_loop_that_ended() -> None:
    stream = Written()
    handler = GatheringHandler(stream)

    async def last_words() -> None:
        handler.handle(told(logging.INFO, "a"))

    ended = asyncio.new_event_loop()
    ended.call_soon(ended.stop)
    ended.call_soon(lambda: handler.handle(told(logging.INFO, "left")))
    ended.run_forever()
    ended.close()
    assert stream.calls == []
    asyncio.run(last_words())
    assert stream.getvalue() == "left\na\n"


def test_a_stream_that_is_gone_disturbs_nobody() -> None:
    stream = Written()
    handler = GatheringHandler(stream)
    handler.handle(told(logging.INFO, "a"))
    stream.close()
    handler.handle(told(logging.INFO, "b"))
    handler.setStream(found := Written())
    handler.handle(told(logging.INFO, "c"))
    assert found.getvalue() == "c\n"


def test_the_servers_own_access_log_is_silent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[object] = []
    monkeypatch.setattr(logging.config, "dictConfig", applied.append)
    configure_logging("WARNING")
    assert applied == [uvicorn_logging("WARNING")]
    configurator = logging.config.DictConfigurator(uvicorn_logging())
    assert configurator.configure_filter({"()": ExceptionScrubber})
    assert uvicorn_logging()["loggers"]["uvicorn.access"] == {
        "level": "CRITICAL",
        "propagate": False,
    }
    assert capsys.readouterr().err == ""
