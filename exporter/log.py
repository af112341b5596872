"""One logfmt or JSON line an event, to stderr."""

import logging
import sys
import threading
from typing import Literal, TextIO

import structlog
from structlog.typing import Processor

_log = logging.getLogger(__name__)

LogFormat = Literal["logfmt", "json"]
FORMATS: tuple[LogFormat, ...] = ("logfmt", "json")
LEVELS = ("debug", "info", "warning", "error")


_TALKATIVE = ("urllib3", "uvicorn.error")
"""They warn of each answer or request that breaks HTTP, with a traceback and the other's bytes; we
count the one and answer the other with a 400."""


def configure(level: str, log_format: LogFormat, stream: TextIO = sys.stderr) -> None:
    """Send the process's log records, libraries' included, to one stream.

    Args:
        level: the least level that is written; libraries' records below WARNING never are.
        log_format: how a line looks.
        stream: where lines go.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.processors.TimeStamper(fmt="iso", key="ts"),
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.EventRenamer("msg"),
                _renderer(log_format),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("exporter").setLevel(level.upper())
    threading.excepthook = _log_thread_fault
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)


def _log_thread_fault(fault: threading.ExceptHookArgs) -> None:
    _log.error("fault in a thread", exc_info=fault.exc_value)


def _renderer(log_format: LogFormat) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.processors.LogfmtRenderer(key_order=["ts", "level", "msg"])
