"""The command, as which `python -m exporter` runs too."""

import signal
import sys


def main() -> int:
    """Run the exporter; returns the process's exit status."""
    # the imports take half a second; a reload asked for meanwhile is done when there is a server
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from exporter import flags, healthcheck  # noqa: PLC0415

    given = flags.parse()
    if given.healthcheck:  # a container asks every few seconds: it must cost little
        return healthcheck.report(given.web_listen_address)
    from exporter import cli  # noqa: PLC0415

    return cli.run(given)


if __name__ == "__main__":
    sys.exit(main())
