"""Strips that workers share: each is answered once, nobody waits while there is work, failures give back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shiftfield.engine import Tile
from shiftfield.stream.bands import Band
from shiftfield.stream.strips import Strip, Strips


def band() -> Band:
    """Return a band of nothing."""
    return Band(0, (np.empty(0), np.empty(0)))


def tiles(*rows: tuple[int, int]) -> list[Tile]:
    """Return strips of rows, ten columns wide."""
    return [Tile(y0, y1, 0, 10) for y0, y1 in rows]


def four(*, closed: bool = False) -> Strips:
    """Return four neighbouring strips of one band."""
    strips = Strips()
    strips.add(band(), tiles((0, 8), (8, 16), (16, 24), (24, 32)))
    if closed:
        strips.close()
    return strips


def rows_of(found: list[Strip]) -> list[int]:
    """Return the first rows of strips."""
    return [strip.tile.y0 for strip in found]


def take(strips: Strips, who: str, most: int = 1, **more: Any) -> list[Strip]:
    """Take without waiting."""
    return strips.take(who, most, wait=False, **more)


def waiting(what: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Return a thread that waits for something, and where its answer will be."""
    answer: list[Any] = []
    thread = threading.Thread(target=lambda: answer.append(what()), daemon=True)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    return thread, answer


def answered(thread: threading.Thread, answer: list[Any]) -> Any:
    """Return what a thread waited for, which must be there at once."""
    thread.join(2)
    assert not thread.is_alive()
    return answer[0]


@pytest.mark.parametrize(
    ("most", "wanted"), [(1, [0]), (2, [0, 8]), (4, [0, 8, 16, 24]), (9, [0, 8, 16, 24])]
)
def test_strips_are_taken_from_the_first_on(most: int, wanted: list[int]) -> None:
    assert rows_of(take(four(), "a", most)) == wanted


def test_what_one_has_taken_is_not_free_for_another() -> None:
    strips = four()
    assert rows_of(take(strips, "a", 2)) == [0, 8]
    assert rows_of(take(strips, "b")) == [16]
    assert rows_of(take(strips, "a", 5)) == [24]
    assert take(strips, "b", 5) == []


def test_one_can_be_taken_from_the_end() -> None:
    strips = four()
    assert rows_of(take(strips, "cpu", 3, last=True)) == [24]
    assert rows_of(take(strips, "cpu", 3, last=True)) == [16]
    assert rows_of(take(strips, "gpu", 3)) == [0, 8]
    assert take(strips, "cpu", 3, last=True) == []


def test_strips_that_are_taken_together_are_neighbours() -> None:
    """What lies beyond a strip that another has is left for later."""
    strips = four()
    first, second, *_ = take(strips, "a", 4)
    strips.give_back("a")
    assert rows_of(take(strips, "a")) == [0]
    (strip,) = take(strips, "b")
    assert strip is second
    strips.give_back("a")
    assert rows_of(take(strips, "c", 4)) == [0]
    assert rows_of(take(strips, "c", 4)) == [16, 24]
    assert first.takers == {"c"}


def test_strips_that_are_taken_together_are_of_one_band() -> None:
    strips, one, other = Strips(), band(), band()
    strips.add(one, tiles((0, 8), (8, 16)))
    strips.add(other, tiles((16, 24), (24, 32)))
    found = take(strips, "a", 4)
    assert rows_of(found) == [0, 8]
    assert all(strip.band is one for strip in found)
    assert [strip.band is other for strip in take(strips, "a", 4)] == [True, True]


def test_left_and_bands_count_what_is_not_done() -> None:
    strips = four()
    strips.add(band(), tiles((32, 40)))
    assert (strips.left(), strips.bands(), strips.done) == (5, 2, 0)
    for n, strip in enumerate(take(strips, "a", 4), start=1):
        assert strips.left() == 6 - n
        assert strips.finish(strip)
        assert strips.done == n
    assert (strips.left(), strips.bands(), strips.done) == (1, 1, 4)
    assert Strips().left() == Strips().bands() == Strips().done == 0


def test_only_the_first_answer_counts() -> None:
    """The second is told so, and the one still at work is stopped."""
    strips = four(closed=True)
    (strip,) = take(strips, "a")
    assert not strip.stop.is_set()
    assert not strip.done
    assert strips.finish(strip)
    assert strip.done
    assert strip.stop.is_set()
    assert not strips.finish(strip)
    assert (strips.done, strips.left()) == (1, 3)


def test_who_finds_nothing_new_takes_the_last_that_another_has() -> None:
    """Two may have a strip, not three, and nobody has it twice; but not while more bands may come."""
    strips = four()
    take(strips, "a", 4)
    assert take(strips, "b") == []
    strips.close()
    assert rows_of(take(strips, "b", 4)) == [24]
    assert rows_of(take(strips, "b", 4)) == [16]
    assert rows_of(take(strips, "c", 4)) == [8]
    assert rows_of(take(strips, "d", 4)) == [0]
    assert take(strips, "e", 4) == []
    assert take(strips, "a", 4) == []


def test_new_strips_come_before_those_of_others() -> None:
    strips = four(closed=True)
    take(strips, "a", 3)
    assert rows_of(take(strips, "b")) == [24]
    assert rows_of(take(strips, "b")) == [16]


def test_what_is_given_back_is_free_again() -> None:
    """Some strips, or all that one has; never what another has."""
    strips = four()
    mine, others = take(strips, "a", 3), take(strips, "b")
    strips.give_back("a", mine[1:2])
    assert [strip.takers for strip in mine] == [{"a"}, set(), {"a"}]
    strips.give_back("a")
    assert [strip.takers for strip in mine] == [set()] * 3
    assert others[0].takers == {"b"}
    assert rows_of(take(strips, "b", 4)) == [0, 8, 16]


def test_a_call_off_stops_all_and_hands_out_nothing_more() -> None:
    strips = four()
    mine = take(strips, "a", 2)
    strips.call_off()
    assert all(strip.stop.is_set() for strip in mine)
    assert strips.left() == 0
    assert strips.take("a", 4) == strips.take("b", 4) == []
    assert not any(strip.done for strip in mine)


def test_an_answer_after_a_call_off_is_the_first_but_not_counted_as_progress() -> None:
    strips = four()
    (strip,) = take(strips, "a")
    strips.call_off()
    assert strips.finish(strip)
    assert strips.done == 0


def test_when_all_is_done_nobody_waits() -> None:
    strips = four(closed=True)
    for strip in take(strips, "a", 4):
        strips.finish(strip)
    assert strips.take("a", 4) == strips.take("b", 4) == []


def test_who_has_all_that_is_left_does_not_wait_for_itself() -> None:
    strips = four(closed=True)
    take(strips, "a", 4)
    assert strips.take("a", 4) == []


def test_a_worker_waits_for_the_next_band() -> None:
    strips = Strips()
    thread, answer = waiting(lambda: strips.take("a", 1))
    strips.add(band(), tiles((0, 8)))
    assert rows_of(answered(thread, answer)) == [0]


def test_a_worker_waits_until_no_more_bands_come() -> None:
    strips = Strips()
    thread, answer = waiting(lambda: strips.take("a", 1))
    strips.close()
    assert answered(thread, answer) == []


def test_a_waiting_worker_is_called_off() -> None:
    strips = four()
    take(strips, "a", 4)
    thread, answer = waiting(lambda: strips.take("b", 1))
    strips.call_off()
    assert answered(thread, answer) == []


def three_at_one() -> tuple[Strips, list[Strip]]:
    """Return strips of which one is left, which "a" and "b" have in work."""
    strips = Strips()
    strips.add(band(), tiles((0, 8)))
    strips.close()
    found = take(strips, "a")
    assert take(strips, "b") == found
    return strips, found


def test_a_third_worker_waits_for_what_two_have_in_case_they_fail() -> None:
    strips, found = three_at_one()
    thread, answer = waiting(lambda: strips.take("c", 1))
    strips.give_back("b")
    assert answered(thread, answer) == found


def test_a_third_worker_ends_when_one_of_two_has_answered() -> None:
    strips, (strip,) = three_at_one()
    thread, answer = waiting(lambda: strips.take("c", 1))
    strips.finish(strip)
    assert answered(thread, answer) == []


def test_workers_on_many_threads_answer_each_strip_once() -> None:
    """Three workers that take several at once, one of which gives some back: every row counts one time."""
    strips, counted, lock = Strips(), [], threading.Lock()

    def work(who: str, most: int, last: bool) -> None:
        rounds = 0
        while found := strips.take(who, most, last=last):
            rounds += 1
            if who == "b" and rounds == 2:
                strips.give_back(who, found)
                continue
            for strip in found:
                if strips.finish(strip):
                    with lock:
                        counted.append(strip.tile.y0)

    workers = [threading.Thread(target=work, args=given, daemon=True)
               for given in (("a", 3, False), ("b", 1, False), ("c", 1, True))]  # fmt: skip
    for worker in workers:
        worker.start()
    for top in range(0, 320, 32):
        strips.add(band(), tiles(*((y, y + 8) for y in range(top, top + 32, 8))))
    strips.close()
    for worker in workers:
        worker.join(10)
        assert not worker.is_alive()
    assert sorted(counted) == list(range(0, 320, 8))
    assert strips.done == 40
