# Two seconds of what Python programs do: calls, JSON, regular expressions, sorting.
import json
import random
import re
import sys
import time


def walk(n):
    return n if n < 2 else walk(n - 1) + walk(n - 2)


def turn():
    walk(16)
    rows = [{"k%d" % i: list(range(i % 20)) for i in range(200)} for _ in range(3)]
    text = json.dumps(rows)
    json.loads(text)
    re.findall(r'"k(\d+)"', text)
    sorted(random.random() for _ in range(2000))


end = time.process_time() + float(sys.argv[1] if len(sys.argv) > 1 else 2)
while time.process_time() < end:
    turn()
