"""Executors: results whatever ran them, errors as raised, and a death that takes no other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

import pytest

from crypto_quant.core.errors import ConfigError, DataError, WorkerDiedError
from crypto_quant.core.executors import Inline, Pool, RayCluster, ended, executor_of, in_order
from crypto_quant.core.ports import Executor

R = TypeVar("R")
MAKERS = [lambda: Inline(), lambda: Pool(2)]


def times(shared: int, job: int) -> int:
    return shared * job


def fails_at_3(shared: int, job: int) -> int:
    if job == 3:
        raise DataError(f"row {job}")
    return shared * job


def dies_at_3(shared: int, job: int) -> int:
    if job == 3:
        os._exit(9)
    time.sleep(0.05)
    return shared * job


def sleeps(shared: int, job: float) -> float:
    time.sleep(job)
    return job


@pytest.mark.parametrize("make", MAKERS, ids=["inline", "pool"])
def test_every_call_is_given_back_once_with_its_position(make: type[Executor]) -> None:
    with make() as executor:
        found = {
            each.position: each.future.result() for each in ended(executor, times, 7, range(9))
        }
    assert found == {n: 7 * n for n in range(9)}


@pytest.mark.parametrize("make", MAKERS, ids=["inline", "pool"])
def test_what_a_call_raises_is_raised_where_its_result_is_read(make: type[Executor]) -> None:
    with make() as executor:
        for position, future in ended(executor, fails_at_3, 1, range(6)):
            if position == 3:
                with pytest.raises(DataError, match=r"^row 3$"):
                    future.result()
            else:
                assert future.result() == position


def test_only_the_call_that_kills_its_process_fails() -> None:
    with Pool(2) as pool:
        found = list(ended(pool, dies_at_3, 1, range(8)))
    died = [n for n, future in found if isinstance(future.exception(), WorkerDiedError)]
    assert died == [3]
    assert sorted(f.result() for n, f in found if n != 3) == [0, 1, 2, 4, 5, 6, 7]


def test_a_pool_goes_on_after_a_process_died() -> None:
    with Pool(1) as pool:
        with pytest.raises(WorkerDiedError, match="for want of memory"):
            pool.submit(dies_at_3, 1, 3).result()
        assert pool.submit(times, 2, 5).result() == 10


def test_leaving_by_an_error_does_not_wait_for_what_runs() -> None:
    def interrupted() -> None:
        with Pool(1) as pool:
            pool.submit(times, 1, 1).result()  # the process is there
            pool.submit(sleeps, 0, 60.0)
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - begun < 30


def test_inline_gives_back_a_call_before_the_next_one_begins() -> None:
    order: list[str] = []

    def work(shared: None, job: int) -> None:
        order.append(f"run {job}")

    with Inline() as executor:
        order.extend(f"read {each.position}" for each in ended(executor, work, None, range(3)))
    assert order == ["run 0", "read 0", "run 1", "read 1", "run 2", "read 2"]


class Beside(Inline):
    """An executor that says that it runs calls beside its caller."""

    at_once = 2


@pytest.mark.parametrize(
    ("executor", "wanted"),
    [
        (Inline(), ["run 1", "read 7", "run 2", "read 14"]),
        (Beside(), ["run 1", "run 2", "read 7", "read 14"]),
    ],
    ids=["inline", "beside"],
)
def test_results_in_order_are_read_at_once_where_nothing_runs_beside_the_caller(
    executor: Executor, wanted: list[str]
) -> None:
    order: list[str] = []

    def work(shared: int, job: int) -> int:
        order.append(f"run {job}")
        return shared * job

    order.extend(f"read {result}" for result in in_order(executor, work, (1, 2), 7))
    assert order == wanted


def test_no_more_calls_are_queued_than_keep_the_executor_busy() -> None:
    class Counted(Inline):
        most = submitted = read = 0

        def submit(self, work: Callable[..., R], /, *arguments: object) -> Future[R]:
            self.submitted += 1
            self.most = max(self.most, self.submitted - self.read)
            return super().submit(work, *arguments)

    counted = Counted()
    for _ in ended(counted, times, 1, range(50)):
        counted.read += 1
    assert counted.most == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [("inline", Inline), ("pool", Pool), ("ray", RayCluster), ("ray://h:1", RayCluster)],
)
def test_a_line_of_config_chooses(name: str, kind: type[Executor]) -> None:
    assert isinstance(executor_of(name, 2), kind)


@pytest.mark.parametrize("name", ["", "pools", "kafka://x"])
def test_an_executor_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected inline, pool, ray or ray://host:port, was"):
        executor_of(name, 2)


def test_jobs_may_be_none() -> None:
    jobs: Sequence[int] = ()
    assert list(ended(Inline(), times, 1, jobs)) == []
