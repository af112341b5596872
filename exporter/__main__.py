"""The command, as which `python -m exporter` runs too."""

import io
import os
import signal
import sys


def main() -> int:
    """Run the exporter; returns the process's exit status."""
    # the imports take half a second; a reload asked for meanwhile is done when there is a server
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    _prepare_standard_streams()
    from exporter import flags, healthcheck  # noqa: PLC0415

    given = flags.parse()
    if given.healthcheck:  # a container asks every few seconds: it must cost little
        return healthcheck.report(given.web_listen_address)
    from exporter import cli  # noqa: PLC0415

    return cli.run(given)


def _prepare_standard_streams() -> None:
    """Open those that are closed, and let stdout write any character in any locale.

    Otherwise the first sockets would get the numbers of the closed ones, and the log's lines.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - for good
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
