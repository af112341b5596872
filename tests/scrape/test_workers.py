import threading

import pytest

from exporter.binance.errors import NoThread
from exporter.scrape import workers
from exporter.scrape.workers import Workers


def test_what_the_work_returns_is_the_result():
    assert Workers("test").submit(lambda: 7).result() == 7


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        Workers("test").submit(lambda: 1 / 0).result()


def test_work_that_hangs_holds_up_no_other_and_not_the_end_of_the_process():
    crew, released = Workers("test"), threading.Event()
    hanging = crew.submit(lambda: released.wait() and threading.current_thread())
    others = [crew.submit(threading.current_thread).result() for _ in range(3)]
    released.set()
    assert hanging.result() not in others
    assert all(thread.daemon for thread in [hanging.result(), *others])


def test_a_thread_is_used_again(monkeypatch):
    back = threading.Event()  # for its next job

    class Jobs(workers.SimpleQueue):
        gets = 0

        def get(self):
            self.gets += 1
            if self.gets == 2:
                back.set()
            return super().get()

    monkeypatch.setattr(workers, "SimpleQueue", Jobs)
    crew = Workers("test")
    thread = crew.submit(threading.current_thread).result()
    assert back.wait(10)
    assert crew.submit(threading.current_thread).result() is thread


def test_of_many_threads_a_few_are_kept():
    crew, released = Workers("many"), threading.Event()
    hanging = [crew.submit(released.wait) for _ in range(20)]
    threads = [thread for thread in threading.enumerate() if thread.name == "many"]
    assert len(threads) == 20
    released.set()
    assert all(each.result() for each in hanging)
    for thread in threads:
        thread.join(0.05)
    assert sum(each.is_alive() for each in threads) == workers._KEPT
    assert crew.submit(lambda: 7).result() == 7


def test_beyond_the_limit_there_is_no_thread():
    crew, released = Workers("full", most=2), threading.Event()
    hanging = [crew.submit(released.wait) for _ in range(2)]
    with pytest.raises(NoThread, match="2 requests are running already"):
        crew.submit(lambda: 7).result()
    released.set()
    assert all(each.result() for each in hanging)
