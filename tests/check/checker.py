"""Whether a recorded history of one register is linearizable: is there an order of its operations, each placed between its
call and its return, in which every answer is what a single copy would have given?

A register holds a value or nothing (None). Operations on it:

    write   argument (value, condition); condition None, ("absent",) or ("is", value)
            answers "ok", "precondition" (the condition does not hold), "missing" (it names a value, and there is nothing)
    read    answers the value, or None
    delete  answers "ok"; afterwards there is nothing

An operation that nobody answered has outcome "unknown": it took effect at some moment until `returned`, or never. The caller
says when that is; a dead server's operations can take effect no later than the start of the next one.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Operation:
    register: str
    kind: str
    argument: object
    answer: object
    called: float
    returned: float
    known: bool = True


def holds(condition, state):
    if condition is None:
        return True
    return state is None if condition[0] == "absent" else state == condition[1]


def refusal(condition, state):
    """What a write answers whose condition does not hold."""
    return "missing" if condition[0] == "is" and state is None else "precondition"


def step(state, operation):
    """(possible, state after it)"""
    if operation.kind == "read":
        return operation.answer == state, state
    if operation.kind == "delete":
        return True, None
    value, condition = operation.argument
    if holds(condition, state):
        return not operation.known or operation.answer == "ok", value
    return not operation.known or operation.answer == refusal(condition, state), state


def closure(operations, pending, configurations, target):
    """Every way to have `target` behind one, by letting pending operations take effect: configurations without it."""
    reached, todo = set(), list(configurations)
    seen = set(todo)
    while todo:
        state, done = todo.pop()
        if target in done:
            reached.add((state, done - {target}))
            continue
        if not operations[target].known:
            reached.add((state, done))  # it never took effect
        for number in pending - done:
            possible, after = step(state, operations[number])
            if possible and (after, done | {number}) not in seen:
                seen.add((after, done | {number}))
                todo.append((after, done | {number}))
    return reached


def explain(operations, number, pending):
    at = operations[number]
    beside = ", ".join(f"{operations[other].kind} {operations[other].argument}" for other in sorted(pending - {number}))
    return (f"{at.register}: no order explains {at.kind} {at.argument} -> {at.answer} "
            f"(called {at.called:.6f}, returned {at.returned:.6f}); beside it: {beside or 'nothing'}")


def violation(history, start=None):
    """None when the history of one register is linearizable; else a sentence about the first answer that no order explains.
    Unknown reads say nothing and are left out."""
    operations = [one for one in history if one.known or one.kind != "read"]
    events = sorted([(one.called, 0, number) for number, one in enumerate(operations)]
                    + [(one.returned, 1, number) for number, one in enumerate(operations)])
    configurations, pending = {(start, frozenset())}, set()
    for _, is_return, number in events:
        if not is_return:
            pending.add(number)
            continue
        configurations = closure(operations, pending, configurations, number)
        if not configurations:
            return explain(operations, number, pending)
        pending.remove(number)
    return None
