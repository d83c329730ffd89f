"""One line of JSON per log record, with every secret taken out.

Secrets are registered when they are read; whatever they appear in, the message or its arguments
or a traceback, they leave as ``***``.
"""

import json
import logging
from pathlib import Path
from typing import Final

SECRET_MIN: Final = 8  # shorter texts would blank out words

_secrets: set[str] = set()


def keep_secret(text: str) -> None:
    """Never let this text into a log line again, with or without its 0x."""
    for form in (text, text.removeprefix("0x")):
        if len(form) >= SECRET_MIN:
            _secrets.add(form)


def redacted(text: str) -> str:
    for secret in _secrets:
        text = text.replace(secret, "***")
    return text


class JsonLines(logging.Formatter):
    """Time in ns UTC of this machine, level, logger, message, and the fault if there was one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "real_ns": int(record.created * 1_000_000) * 1_000,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["fault"] = self.formatException(record.exc_info)
        return redacted(json.dumps(line, ensure_ascii=True))


def configure(path: Path | None = None, level: int = logging.INFO) -> None:
    """Send all logs to ``path``, or to standard error."""
    out: logging.Handler
    if path is None:
        out = logging.StreamHandler()
    else:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        out = logging.FileHandler(path, encoding="utf-8")
    out.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "websockets", "aiosqlite", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
