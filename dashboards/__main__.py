"""Write the dashboards' JSON."""

from pathlib import Path

from dashboards import asset, collateral, exporter_and_api, haircut_spreads, pegs_and_drops

FOLDER = Path(__file__).parent


def texts() -> dict[Path, str]:
    """Every dashboard's file and what belongs into it."""
    boards = (haircut_spreads, asset, pegs_and_drops, exporter_and_api, collateral)
    return {
        FOLDER / f"{board.__name__.rpartition('.')[2]}.json": board.build().text()
        for board in boards
    }


if __name__ == "__main__":
    for file, text in texts().items():
        file.write_text(text)
