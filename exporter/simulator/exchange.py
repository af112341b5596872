"""The simulated exchange: responses from a market, a rate limit and a script."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from exporter.simulator import answers
from exporter.simulator.answers import Answer, encode, json_answer
from exporter.simulator.assets import ASSETS, Asset
from exporter.simulator.exchange_info import exchange_info
from exporter.simulator.limits import WEIGHT_LIMIT, RateLimit
from exporter.simulator.market import Market
from exporter.simulator.rows import Row, index_row
from exporter.simulator.scenarios import SCENARIOS, Script

ASSET_INDEX = "/fapi/v1/assetIndex"
EXCHANGE_INFO = "/fapi/v1/exchangeInfo"

_LIST_WEIGHT = 10
_USUAL_WEIGHT = 1


class Exchange:
    """An exchange without sockets, which depends only on its seed, its script and the clock.

    Market and script start when it is created and move in whole seconds. If the clock is set
    back, they wait until it has caught up. Not safe to use from several threads.

    Attributes:
        requests: Number of requests by path and symbol (None without one).
    """

    def __init__(
        self,
        scenario: str | Script = "calm",
        seed: int = 1,
        clock: Callable[[], float] = time.time,
        *,
        assets: Sequence[Asset] = ASSETS,
        weight_limit: int = WEIGHT_LIMIT,
        retry_after: bool = False,
    ) -> None:
        """Start the market and the script.

        Args:
            scenario: A key of `SCENARIOS`, or a script.
            seed: Of the random walk; the same seed gives the same prices.
            clock: Returns Unix time in seconds.
            assets: Those that it lists.
            weight_limit: Request weight per UTC minute.
            retry_after: Whether 429 and 418 carry `Retry-After`.

        Raises:
            KeyError: There is no such scenario.
        """
        self.requests: Counter[tuple[str, str | None]] = Counter()
        self._clock = clock
        self._now = clock()
        self._start = int(self._now)
        self._script = SCENARIOS[scenario] if isinstance(scenario, str) else scenario
        self._rate_limit = RateLimit(weight_limit, retry_after=retry_after)
        self._assets = assets
        self._market = Market(assets, seed, self._start)
        self._moment = self._script.at(0)
        self._publish()

    def answer(self, path: str, params: Mapping[str, str]) -> Answer:
        """Return the response to a GET of `path` with these query parameters now."""
        symbol = params.get("symbol")
        self.requests[path, symbol] += 1
        self._catch_up()
        answer = self._refusal(path, symbol) or self._data(path, symbol)
        weight_used = {"X-MBX-USED-WEIGHT-1M": str(self._rate_limit.used)}
        return replace(answer, headers={**answer.headers, **weight_used})

    def _catch_up(self) -> None:
        before = int(self._now)
        self._now = max(self._clock(), self._now)
        second = int(self._now)
        if second == before:
            return
        self._moment = self._script.at(second - self._start)
        if self._moment.keyframe.frozen:
            second = self._start + self._moment.began
        if second > self._market.second:
            self._market.advance(second)
            self._publish()

    def _publish(self) -> None:
        """Compute the index, once a second however many requests there are."""
        keyframe, factors = self._moment.keyframe, self._moment.price_factors
        prices = self._market.prices()
        self._rows: dict[str, Row] = {
            asset.symbol: index_row(
                asset.symbol,
                Decimal(prices[asset.name] * factors.get(asset.name, 1.0)),
                asset.buffers.raised(keyframe.haircut_points.get(asset.name, 0)),
                self._market.second * 1000,
            )
            for asset in self._listed()
        }
        self._list = json_answer(200, encode(list(self._rows.values())))

    def _listed(self) -> list[Asset]:
        return [asset for asset in self._assets if asset.name not in self._moment.keyframe.unlisted]

    def _refusal(self, path: str, symbol: str | None) -> Answer | None:
        keyframe = self._moment.keyframe
        if keyframe.banned:
            self._rate_limit.ban(until=self._start + self._moment.ends)
        whole_list = path == ASSET_INDEX and symbol is None
        refusal = self._rate_limit.charge(
            _LIST_WEIGHT if whole_list else _USUAL_WEIGHT,
            self._now,
            spent_by_others=self._rate_limit.limit if keyframe.weight_spent else 0,
        )
        return keyframe.fault or refusal

    def _data(self, path: str, symbol: str | None) -> Answer:
        if path == EXCHANGE_INFO:
            return json_answer(200, self._exchange_info())
        if path != ASSET_INDEX:
            return answers.unknown_path(path)
        if symbol is None:
            return self._list
        if symbol not in self._rows:
            return answers.INVALID_SYMBOL
        # a single row has the time of the response, a list that of its whole second
        frozen = self._moment.keyframe.frozen
        time_ms = self._market.second * 1000 if frozen else self._now_ms()
        return json_answer(200, encode({**self._rows[symbol], "time": time_ms}))

    def _exchange_info(self) -> bytes:
        not_margin = self._moment.keyframe.not_margin
        return exchange_info(
            self._now_ms(),
            self._rate_limit.limit,
            [
                {
                    "asset": asset.name,
                    "autoAssetExchange": asset.threshold,
                    "marginAvailable": asset.name not in not_margin,
                }
                for asset in self._listed()
                if asset.threshold is not None
            ],
        )

    def _now_ms(self) -> int:
        return int(self._now * 1000)
