"""What the crash test knows of the effects it was told of, and how it judges what it finds.

Each name (an object's key, a function) has one writer, which does one thing at a time. So after a crash a name shows
either its last acknowledged state or the one that was on its way; anything else is a loss.
"""

import dataclasses
import hashlib
import threading

ABSENT = "absent"


def body_of(name, number, size):
    """The bytes of one version of an object: any byte of another version is noticed."""
    seed = hashlib.sha256(f"{name} {number}".encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


@dataclasses.dataclass
class Name:
    acknowledged: object = ABSENT  # a state, as described by the writer
    on_its_way: object = None


class Model:
    """Thread-safe; each name is written by one thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.names = {}
        self.acknowledgements = {}  # kind -> count

    def begin(self, name, state):
        with self.lock:
            self.names.setdefault(name, Name()).on_its_way = state

    def acknowledge(self, name, kind):
        with self.lock:
            entry = self.names[name]
            entry.acknowledged, entry.on_its_way = entry.on_its_way, None
            self.acknowledgements[kind] = self.acknowledgements.get(kind, 0) + 1

    def refused(self, name):
        """The server answered that it did not do it."""
        with self.lock:
            self.names[name].on_its_way = None

    def judge(self, name, found):
        """None, or what is wrong; what was found becomes the state that is known."""
        with self.lock:
            entry = self.names[name]
            if found == entry.acknowledged or (entry.on_its_way is not None and found == entry.on_its_way):
                entry.acknowledged, entry.on_its_way = found, None
                return None
            return f"{name}: found {found}, acknowledged {entry.acknowledged}, on its way {entry.on_its_way}"

    def total(self):
        return sum(self.acknowledgements.values())


def prove_model():
    """The judge itself is judged: it must notice a lost, a stale and a torn state."""
    model = Model()
    model.begin("a", 1)
    model.acknowledge("a", "put")
    assert model.judge("a", 1) is None
    assert model.judge("a", ABSENT), "a lost object is not noticed"
    model.begin("a", 2)
    assert model.judge("a", 3), "a state that nobody wrote is not noticed"
    assert model.judge("a", 2) is None, "a state on its way is allowed"
    assert model.judge("a", 1), "a stale state after a newer one was seen is not noticed"
