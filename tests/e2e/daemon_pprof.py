"""Prints what a gzipped pprof profile says, by its own reading of the wire format: FILE. A line for each word:

    time NS / duration NS / period N / types TYPE/UNIT ... / samples N / values N
    label COMM SAMPLES / self FUNCTION SAMPLES / any FUNCTION SAMPLES
"""
import collections
import gzip
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """Of a message: {number: [value, ...]}."""
    found, at = collections.defaultdict(list), 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            assert tag & 7 == 2, tag
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
            assert len(value) == length
        found[tag >> 3].append(value)
    return found


def packed(data):
    numbers, at = [], 0
    while at < len(data):
        number, at = varint(data, at)
        numbers.append(number)
    return numbers


profile = fields(gzip.open(sys.argv[1]).read())
strings = [text.decode() for text in profile[6]]
assert strings[0] == ""


def first(message, number):
    return message[number][0] if message[number] else 0


def kind(data):
    message = fields(data)
    return strings[first(message, 1)] + "/" + strings[first(message, 2)]


functions = {first(f, 1): strings[first(f, 2)] for f in map(fields, profile[5])}
locations = {}
for location in map(fields, profile[4]):
    locations[first(location, 1)] = [functions[first(fields(line), 1)] for line in location[4]]
labels, self_of, any_of = collections.Counter(), collections.Counter(), collections.Counter()
samples = values = 0
for sample in map(fields, profile[2]):
    count, value = packed(sample[2][0])
    samples, values = samples + count, values + value
    stack = [name for number in packed(sample[1][0]) for name in locations[number]]
    for label in map(fields, sample[3]):
        if strings[first(label, 1)] == "comm":
            labels[strings[first(label, 2)]] += count
    self_of[stack[0] if stack else ""] += count
    for name in set(stack):
        any_of[name] += count
print("time", first(profile, 9))
print("duration", first(profile, 10))
print("period", first(profile, 12), kind(profile[11][0]))
print("types", *map(kind, profile[1]))
print("samples", samples)
print("values", values)
for word, counts in (("label", labels), ("self", self_of), ("any", any_of)):
    for name, count in counts.most_common():
        print(word, name, count)
