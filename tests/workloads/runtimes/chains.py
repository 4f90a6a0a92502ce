"""A program whose Python stacks are known: python3 chains.py MODE SECONDS [CALLS]

Each mode burns CPU time, or sleeps, at the bottom of one chain of functions. Its last lines say
    truth chain <module>;MODE;...;burn
    truth cpu SECONDS or truth slept NANOSECONDS
"""
import functools
import sys
import time

MODE, SECONDS = sys.argv[1], float(sys.argv[2])
CHAIN, ROUNDS = [], 5000


def burn(*_):
    end = time.process_time() + SECONDS
    while time.process_time() < end:
        total = 0
        for i in range(ROUNDS):
            total += i & 3
    return True


def nap(*_):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(0.01)


def recursion(depth=50):
    if depth:
        return recursion(depth - 1)
    return burn()


def by_sort():
    return sorted([1], key=burn)


def generate():
    yield burn()


def by_generator():
    return list(generate())


def by_expression():
    return sum(burn() for _ in range(1))


class Thing:
    @property
    def shown(self):
        return burn()

    def __add__(self, other):
        return burn()

    def __init__(self, burns=False):
        if burns:
            burn()


def by_property():
    return Thing().shown


def by_slot():
    return Thing() + 1


def by_init():
    return Thing(True)


def by_partial():
    return functools.partial(burn, 1)()


def by_map():
    return list(map(lambda _: burn(), [1]))


def by_reduce():
    return functools.reduce(burn, [1, 2])


def by_exec():
    exec("def made():\n    return burn()\nmade()", globals())


def größe():
    return 函数()


def 函数():
    return burn()


def by_words():
    return größe()


def long_name_():
    space = {}
    exec("def " + "x" * 300 + "():\n    return burn()\n", globals(), space)
    return space["x" * 300]()


def by_thread():
    import threading

    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()


def by_asyncio():
    import asyncio

    async def inner():
        burn()

    async def outer():
        await inner()

    asyncio.run(outer())


def sleeps():
    return nap()


def sleeps_deep(depth=20):
    return sleeps_deep(depth - 1) if depth else nap()


# Two functions with the same native frames, and the same return addresses, wait in turn.
def first_waits():
    time.sleep(0.004)


def second_waits():
    time.sleep(0.004)


def waits_in_turn():
    end = time.monotonic() + SECONDS
    slept = {first_waits: 0, second_waits: 0}
    while time.monotonic() < end:
        for waits in first_waits, second_waits:
            begun = time.monotonic_ns()
            for _ in range(20):
                waits()
            slept[waits] += time.monotonic_ns() - begun
    for waits, ns in slept.items():
        print("truth", waits.__name__, ns)


# Nothing but calls: the edges are these, and no others.
def calls_c(n):
    return n


def calls_b(n):
    return calls_c(n) + calls_c(n)


def calls_a(n):
    return calls_b(n) + sorted([n], key=calls_c)[0]


def calls():
    end = time.process_time() + SECONDS
    while time.process_time() < end:
        for i in range(1000):
            calls_a(i)


MODES = {
    "recursion": ["recursion"] * 51 + ["burn"],
    "by_sort": ["by_sort", "burn"],
    "by_generator": ["by_generator", "generate", "burn"],
    "by_expression": ["by_expression", "by_expression.<locals>.<genexpr>", "burn"],
    "by_property": ["by_property", "Thing.shown", "burn"],
    "by_slot": ["by_slot", "Thing.__add__", "burn"],
    "by_init": ["by_init", "Thing.__init__", "burn"],
    "by_partial": ["by_partial", "burn"],
    "by_map": ["by_map", "by_map.<locals>.<lambda>", "burn"],
    "by_reduce": ["by_reduce", "burn"],
    "by_exec": ["by_exec", "<module>", "made", "burn"],
    "by_words": ["by_words", "größe", "函数", "burn"],
    "long_name_": ["long_name_", "x" * 256 + "...", "burn"],
    "by_thread": ["Thread._bootstrap", "Thread._bootstrap_inner", "Thread.run", "burn"],
    "by_asyncio": ["by_asyncio.<locals>.outer", "by_asyncio.<locals>.inner", "burn"],
    "sleeps": ["sleeps", "nap"],
    "sleeps_deep": ["sleeps_deep"] * 21 + ["nap"],
}


def main():
    globals()[MODE]()


if __name__ == "__main__":
    main()
    if MODE in MODES:
        print("truth chain", ";".join(MODES[MODE]))
