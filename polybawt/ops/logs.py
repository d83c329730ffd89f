"""One line of JSON per log record, with every secret taken out.

Secrets are registered when they are read; whatever they appear in, the message or its arguments
or a traceback, they leave as ``***``.  An exception that nobody expected ends the process as one
such line too, not as Python's own traceback, which would tell what it holds.
"""

import json
import logging
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

SECRET_MIN: Final = 8  # shorter texts would blank out words

_secrets: set[str] = set()


def keep_secret(text: str) -> None:
    """Never let this text into a log line again: without its 0x, in small letters, or escaped."""
    bare = text.removeprefix("0x")
    for form in (text, bare, bare.lower(), repr(text)[1:-1]):
        if len(form) >= SECRET_MIN:
            _secrets.add(form)


def redacted(text: str) -> str:
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


class JsonLines(logging.Formatter):
    """Time in ns UTC of this machine, level, logger, message, and the fault if there was one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, int | str] = {
            "real_ns": int(record.created * 1_000_000) * 1_000,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(_message(record)),  # before JSON escapes what it holds
        }
        if record.exc_info:
            line["fault"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # logging itself would print the arguments as they are
        return f"{record.msg} {record.args}"


def _unexpected(
    kind: type[BaseException], fault: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger("polybawt").critical("unexpected", exc_info=(kind, fault, trace))


def configure(path: Path | None = None, level: int = logging.INFO) -> None:
    """Send all logs to ``path``, or to standard error, and what ends the process too."""
    out: logging.Handler
    if path is None:
        out = logging.StreamHandler()
    else:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        out = logging.FileHandler(path, encoding="utf-8")
    out.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level)
    sys.excepthook = _unexpected
    for noisy in ("httpx", "httpcore", "websockets", "aiosqlite", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
