"""Checks a request of OTLP profiles, as `protoc --decode` prints it on standard input, by the rules that receivers hold
it to, and prints its samples as folded stacks: EVENT, a tab, STACK COUNT. `attributes` prints those of the resources."""

import ast
import re
import sys
from collections import Counter

SUFFIXES = {"kernel": "_[k]", "jit": "_[j]", "cpython": "_[r]", "php": "_[r]", "native": "", "mark": ""}


def parse(lines):
    """A message: {field: [values]}."""
    message = {}
    for line in lines:
        line = line.strip()
        if line == "}":
            break
        if line.endswith(" {"):
            message.setdefault(line[:-2], []).append(parse(lines))
            continue
        name, value = line.split(": ", 1)
        if value.startswith('"'):
            value = ast.literal_eval("b" + re.sub(r"\\(\d{3})", lambda m: "\\x%02x" % int(m[1], 8), value))
        else:
            value = int(value)
        message.setdefault(name, []).append(value)
    return message


def one(message, name, default=0):
    values = message.get(name, [default])
    assert len(values) == 1, (name, values)
    return values[0]


FIELDS = {
    "request": "resource_profiles dictionary",
    "resource": "resource scope_profiles",
    "profile": "sample_type samples time_unix_nano duration_nano period_type period profile_id",
    "sample": "stack_index attribute_indices values",
    "mapping": "memory_limit filename_strindex attribute_indices",
    "location": "mapping_index address lines attribute_indices",
    "function": "name_strindex filename_strindex",
    "attribute": "key_strindex value",
}


def check_fields(kind, message):
    """No field of another number, and none that is never to be there: timestamps, links."""
    assert set(message) <= set(FIELDS[kind].split()), (kind, message)


class Dictionary:
    """Its tables; at the end each entry but the first must have been named."""

    def __init__(self, message):
        self.tables = {name[: -len("_table")]: entries for name, entries in message.items()}
        self.used = {name: {0} for name in self.tables}
        zero = {"trace_id": [bytes(16)], "span_id": [bytes(8)]}
        for name, entries in self.tables.items():
            first = {"string": b"", "link": zero}.get(name, {})
            assert entries[0] == first, (name, entries[0])
            keys = [repr(entry) for entry in entries]
            assert len(set(keys)) == len(keys), (name, Counter(keys).most_common(3))
        assert set(self.tables) == {"mapping", "location", "function", "link", "string", "attribute", "stack"}

    def of(self, name, index):
        assert 0 <= index < len(self.tables[name]), (name, index)
        self.used[name].add(index)
        return self.tables[name][index]

    def string(self, message, field):
        return self.of("string", one(message, field)).decode()

    def attributes(self, message):
        result = {}
        for index in message.get("attribute_indices", []):
            assert index
            entry = self.of("attribute", index)
            check_fields("attribute", entry)
            key = self.string(entry, "key_strindex")
            assert key and key not in result, key
            result[key] = one(one(entry, "value"), "string_value").decode()
        return result

    def check_orphans(self):
        for name, entries in self.tables.items():
            assert len(self.used[name]) == len(entries), (name, set(range(len(entries))) - self.used[name])

    def frames(self, index):
        """The functions of a location, outermost first, as folded stacks spell them."""
        location = self.of("location", index)
        check_fields("location", location)
        attributes = self.attributes(location)
        assert list(attributes) == ["profile.frame.type"], attributes
        if one(location, "mapping_index"):
            mapping = self.of("mapping", one(location, "mapping_index"))
            check_fields("mapping", mapping)
            assert self.string(mapping, "filename_strindex")
            assert one(location, "address") < one(mapping, "memory_limit")
            assert set(self.attributes(mapping)) <= {"process.executable.build_id.gnu"}
        result = []
        for line in location["lines"]:
            function = self.of("function", one(line, "function_index"))
            check_fields("function", function)
            self.string(function, "filename_strindex")
            result.append(self.string(function, "name_strindex").replace(";", ":") + "_[i]")
        result[-1] = result[-1][: -len("_[i]")] + SUFFIXES[attributes["profile.frame.type"]]
        return result[::-1]


def value_type(dictionary, message, field):
    return "/".join(dictionary.string(one(message, field, {}), part) for part in ("type_strindex", "unit_strindex"))


def event_of(dictionary, profile):
    """The event's name, by the types of samples and period, which must be what receivers look for."""
    samples, period = value_type(dictionary, profile, "sample_type"), value_type(dictionary, profile, "period_type")
    if samples == "off_cpu/nanoseconds":
        assert "period_type" not in profile and "period" not in profile
        return "off-cpu"
    name, unit = period.rsplit("/", 1)
    assert one(profile, "period") > 0 and name
    if samples == "samples/count":
        assert unit == ("nanoseconds" if name == "cpu" and one(profile, "period") > 1 else "count"), period
    else:
        assert samples == period and one(profile, "period") == 1, (samples, period)
    return name


def folded(dictionary, resource, profile, result):
    check_fields("profile", profile)
    event, seen, total = event_of(dictionary, profile), set(), 0
    assert one(profile, "time_unix_nano") > 0 and one(profile, "duration_nano") > 0
    assert 1 <= len(profile["samples"]) <= 16000
    for sample in profile["samples"]:
        check_fields("sample", sample)
        attributes = dictionary.attributes(sample)
        stack = one(sample, "stack_index")
        assert (stack, *attributes.values()) not in seen
        seen.add((stack, *attributes.values()))
        assert list(attributes) in ([], ["thread.name"]), attributes
        frames = [attributes.get("thread.name", resource["service.name"]).replace(";", ":")]
        for location in reversed(dictionary.of("stack", stack).get("location_indices", [])):
            assert location
            frames += dictionary.frames(location)
        assert one(sample, "values") > 0
        result[event + "\t" + ";".join(frames)] += one(sample, "values")


def main():
    request = parse(iter(sys.stdin))
    check_fields("request", request)
    dictionary, result, ids, resources = Dictionary(one(request, "dictionary")), Counter(), set(), []
    for entry in request["resource_profiles"]:
        check_fields("resource", entry)
        pairs = [(one(a, "key").decode(), one(one(a, "value"), "string_value").decode())
                 for a in one(entry, "resource")["attributes"]]
        resource = dict(pairs)
        assert len(resource) == len(pairs) and all(resource.values()) and resource["service.name"], pairs
        assert resource not in resources
        resources.append(resource)
        scope = one(entry, "scope_profiles")
        assert one(one(scope, "scope"), "name") == b"hearth"
        for profile in scope["profiles"]:
            assert len(one(profile, "profile_id")) == 16 and any(one(profile, "profile_id"))
            assert one(profile, "profile_id") not in ids
            ids.add(one(profile, "profile_id"))
            folded(dictionary, resource, profile, result)
    dictionary.check_orphans()
    if sys.argv[1:] == ["attributes"]:
        for resource in resources:
            print(" ".join(f"{key}={value}" for key, value in resource.items()))
    elif sys.argv[1:] == ["ids"]:
        print("\n".join(sorted(each.hex() for each in ids)))
    elif sys.argv[1:] == ["mappings"]:
        for mapping in dictionary.tables["mapping"][1:]:
            print(dictionary.string(mapping, "filename_strindex"), *dictionary.attributes(mapping).values())
    else:
        for stack, count in result.items():
            print(stack, count)


main()
