import pytest

from exporter.binance.errors import Banned, Held, RateLimited, RequestTimeout, ServerError
from exporter.binance.rows import Row
from exporter.scrape.changes import Changes
from exporter.scrape.flight import Fetch
from exporter.scrape.state import ConditionChange, Watch, following

ALL = ()
NOW = 1784571968.0
BTC = Row("BTCUSD", bid_buffer=0.05)


@pytest.fixture
def watch() -> Watch:
    return Watch(ALL, Changes())


def good(at: float = NOW, bid: float = 0.05) -> Fetch:
    return Fetch(at, [Row("BTCUSD", bid_buffer=bid)])


def failed(error: Exception, at: float = NOW) -> Fetch:
    return Fetch(at, error=error)


def conditions(watch: Watch) -> list[str]:
    """Oldest first."""
    return [c.condition for c in reversed(watch.changes(NOW)) if isinstance(c, ConditionChange)]


def test_before_the_first_fetch_there_is_no_state(watch):
    assert watch.state is None
    assert watch.changes(NOW) == []


def test_a_good_fetch_is_the_last_one_and_the_last_good_one(watch):
    fetch = good()
    watch.note(ALL, fetch)
    assert (watch.state.fetch, watch.state.good, watch.state.condition) == (fetch, fetch, "up")


def test_an_outage_keeps_its_beginning_and_the_last_good_fetch(watch):
    fetch = good(NOW - 45)
    watch.note(ALL, fetch)
    watch.note(ALL, failed(ServerError("503"), NOW - 30))
    watch.note(ALL, failed(RequestTimeout("no answer"), NOW - 15))
    watch.note(ALL, failed(Banned("418"), NOW))
    assert (watch.state.since, watch.state.good) == (NOW - 30, fetch)


def test_coming_up_begins_anew(watch):
    watch.note(ALL, failed(ServerError("503"), NOW - 30))
    watch.note(ALL, good(NOW))
    assert (watch.state.condition, watch.state.since) == ("up", NOW)


def test_down_and_up_are_two_changes_with_how_long_it_lasted(watch):
    for fetch in (good(), failed(ServerError("503"), NOW - 60), good(NOW)):
        watch.note(ALL, fetch)
    up, down = watch.changes(NOW)
    assert down == ConditionChange(NOW - 60, "down", "http_5xx: 503", lasted=None)
    assert up == ConditionChange(NOW, "up", "", lasted=60)


def test_being_down_from_the_start_is_a_change(watch):
    watch.note(ALL, failed(ServerError("503")))
    assert conditions(watch) == ["down"]


def test_reasons_of_one_outage_that_alternate_are_one_change(watch):
    for _ in range(3):
        watch.note(ALL, failed(ServerError("503")))
        watch.note(ALL, failed(RequestTimeout("no answer")))
    assert conditions(watch) == ["down"]


def test_a_ban_during_an_outage_is_a_change(watch):
    watch.note(ALL, failed(ServerError("503")))
    watch.note(ALL, failed(Banned("418")))
    assert conditions(watch) == ["down", "banned"]


@pytest.mark.parametrize(
    ("refusal", "hold", "condition"),
    [
        (Banned("418"), Held("blocked", NOW + 60, banned=True), "banned"),
        (RateLimited("429"), Held("blocked", NOW + 60), "rate_limited"),
    ],
)
def test_a_hold_after_a_refusal_is_the_same_change(watch, refusal, hold, condition):
    watch.note(ALL, failed(refusal))
    watch.note(ALL, failed(hold))
    assert conditions(watch) == [condition]


def test_a_ban_that_another_module_has_met_is_a_ban(watch):
    watch.note(ALL, good())
    watch.note(ALL, failed(Held("blocked", NOW + 60, banned=True)))
    assert watch.state.condition == "banned"


def test_a_hold_below_the_weight_ceiling_is_no_refusal(watch):
    watch.note(ALL, failed(Held("weight_ceiling", NOW + 60)))
    assert watch.state.condition == "weight_ceiling"


def test_a_probe_for_other_symbols_is_not_the_modules_state(watch):
    watch.note(ALL, good())
    watch.note(("NOSUCHUSD",), failed(ServerError("503")))
    assert watch.state.condition == "up"
    assert conditions(watch) == []


def test_the_order_of_the_symbols_does_not_matter():
    watch = Watch(["ETHUSD", "BTCUSD"], Changes())
    watch.note(("BTCUSD", "ETHUSD"), good())
    assert watch.state is not None


def test_a_module_of_many_symbols_sees_its_own_of_a_fetch_of_all():
    watch = Watch([f"S{number}USD" for number in range(10)], Changes())
    watch.note(ALL, Fetch(NOW, [Row("S1USD"), Row("BTCUSD")]))
    assert [row.symbol for row in watch.state.good.rows] == ["S1USD"]
    watch.note(ALL, failed(ServerError("503")))
    assert watch.state.condition == "down"


def test_a_module_of_few_symbols_shares_no_fetch_of_all():
    watch = Watch(["BTCUSD"], Changes())
    watch.note(ALL, good())
    assert watch.state is None


def test_changes_of_all_kinds_come_newest_first(watch):
    fetches = [
        good(NOW - 60),
        good(NOW - 45, bid=0.1),
        failed(ServerError("503"), NOW - 30),
        good(NOW - 15, bid=0.2),
    ]
    for fetch in fetches:
        watch.note(ALL, fetch)
    assert [change.at for change in watch.changes(NOW)] == [NOW - 15, NOW - 15, NOW - 30, NOW - 45]


def test_modules_of_one_base_url_see_a_haircut_change_once():
    changes = Changes()
    one, other = Watch(ALL, changes), Watch(["BTCUSD"], changes)
    for bid in (0.05, 0.1):
        one.note(ALL, good(bid=bid))
        other.note(("BTCUSD",), good(bid=bid))
    assert len(one.changes(NOW)) == len(other.changes(NOW)) == 1


def test_going_up_and_down_all_day_does_not_fill_the_memory(watch):
    for _ in range(1000):
        watch.note(ALL, failed(ServerError("503")))
        watch.note(ALL, good())
    assert len(watch.changes(NOW)) == 200


def test_the_same_fetch_again_is_the_same_state():
    state = following(None, good())
    assert following(state, state.fetch) is state
