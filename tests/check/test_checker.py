"""The judge itself: it accepts exactly what some order explains, and notices what a broken store would do."""
import itertools
import random
import sys
import unittest
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from checker import Operation, step, violation

RANDOM_HISTORIES = 3000


def op(kind, argument, answer, called, returned, known=True):
    return Operation("r", kind, argument, answer, called, returned, known)


def write(value, called, returned, answer="ok", condition=None, known=True):
    return op("write", (value, condition), answer, called, returned, known)


def read(answer, called, returned):
    return op("read", None, answer, called, returned)


def explained(history):
    """By trying every order and every choice of unanswered operations that never took effect."""
    for order in itertools.permutations(history):
        unknown = [one for one in order if not one.known]
        for count in range(len(unknown) + 1):
            for never in itertools.combinations(unknown, count):
                if fits([one for one in order if one not in never]):
                    return True
    return False


def fits(order):
    for before, after in itertools.combinations(order, 2):
        if after.returned < before.called:
            return False
    state = None
    for one in order:
        possible, state = step(state, one)
        if not possible:
            return False
    return True


def random_history(chance):
    history, times = [], iter(chance.sample(range(40), 10))
    for number in range(chance.randint(2, 5)):
        called, returned = sorted((next(times), next(times)))
        kind = chance.choice(["write", "write", "read", "read", "delete"])
        if kind == "write":
            condition = chance.choice([None, None, ("absent",), ("is", chance.randint(0, 2))])
            answer = chance.choice(["ok", "ok", "precondition", "missing"]) if condition else "ok"
            history.append(write(number, called, returned, answer, condition, chance.random() < 0.7))
        elif kind == "read":
            history.append(read(chance.choice([None, 0, 1, 2, 3]), called, returned))
        else:
            history.append(op("delete", None, "ok", called, returned, chance.random() < 0.7))
    return history


class Checker(unittest.TestCase):
    def test_it_says_what_trying_every_order_says(self):
        chance, verdicts = random.Random(7), {True: 0, False: 0}
        for _ in range(RANDOM_HISTORIES):
            history = random_history(chance)
            expected = explained(history)
            verdicts[expected] += 1
            self.assertEqual(violation(history) is None, expected, history)
        self.assertGreater(min(verdicts.values()), RANDOM_HISTORIES // 10)

    def test_an_acknowledged_write_that_is_not_read_is_lost(self):
        self.assertIn("no order explains read", violation([write("a", 0, 1), read(None, 2, 3)]))

    def test_a_read_that_goes_back_in_time_is_noticed(self):
        history = [write("a", 0, 1), write("b", 2, 9), read("b", 3, 4), read("a", 5, 6)]
        self.assertIsNotNone(violation(history))

    def test_a_write_nobody_answered_may_show_or_not_but_not_change_its_mind(self):
        unanswered = write("b", 2, 10, known=False)
        self.assertIsNone(violation([write("a", 0, 1), unanswered, read("a", 11, 12)]))
        self.assertIsNone(violation([write("a", 0, 1), unanswered, read("b", 11, 12)]))
        self.assertIsNotNone(violation([write("a", 0, 1), unanswered, read("b", 11, 12), read("a", 13, 14)]))

    def test_a_write_that_appears_after_the_dead_servers_successor_started_is_noticed(self):
        history = [write("b", 0, 5, known=False), read(None, 6, 7), read("b", 8, 9)]
        self.assertIsNotNone(violation(history))

    def test_two_conditional_writes_cannot_both_find_nothing(self):
        first, second = (write(value, 0, 5, condition=("absent",)) for value in "ab")
        self.assertIsNotNone(violation([first, second]))

    def test_a_deleted_value_that_comes_back_is_noticed(self):
        self.assertIsNotNone(violation([write("a", 0, 1), op("delete", None, "ok", 2, 3), read("a", 4, 5)]))


if __name__ == "__main__":
    unittest.main()
