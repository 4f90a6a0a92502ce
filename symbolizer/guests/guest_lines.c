#include "symbolizer/guests/guest_lines.h"

#include "bpf/wire/guest.h"

// CPython's location table, 3.11 and later (Objects/locations.md): entries of a byte 1:1|code:4|length-1:3 and what the
// code says follows, each for `length` code units.
enum {
    LOCATION_SHORT_LAST = 9,
    LOCATION_ONE_LINE = 10,
    LOCATION_ONE_LINE_2 = 12,
    LOCATION_NO_COLUMNS = 13,
    LOCATION_LONG = 14,
    LOCATION_NONE = 15
};

struct table {
    const uint8_t *at, *end;
};

// 6 bits a byte, the lowest first; bit 6: there are more.
static uint32_t read_varint(struct table *table)
{
    uint32_t value = 0;
    for (unsigned shift = 0; table->at < table->end; shift += 6) {
        uint8_t byte = *table->at++;
        if (shift < 32)
            value |= (uint32_t)(byte & 63) << shift;
        if (!(byte & 64))
            break;
    }
    return value;
}

static uint32_t read_signed(struct table *table)
{
    uint32_t value = read_varint(table);
    return value & 1 ? 0u - (value >> 1) : value >> 1;
}

// Lines that the entry goes on by; passes what follows its first byte.
static uint32_t read_step(struct table *table, unsigned code)
{
    switch (code) {
    case LOCATION_NONE:
        return 0;
    case LOCATION_NO_COLUMNS:
    case LOCATION_LONG: {
        uint32_t step = read_signed(table);
        for (int i = 0; code == LOCATION_LONG && i < 3; i++) // end line, column, end column
            read_varint(table);
        return step;
    }
    default:
        table->at += code <= LOCATION_SHORT_LAST ? 1 : 2;
        return code <= LOCATION_SHORT_LAST ? 0 : code - LOCATION_ONE_LINE;
    }
}

static uint32_t find_location(const struct guest_place *place, const uint8_t *bytes)
{
    struct table table = {bytes, bytes + place->table_bytes};
    uint32_t line = place->first_line, unit = 0;
    while (table.at < table.end) {
        unsigned first = *table.at++, code = first >> 3 & 15;
        if (!(first & 128))
            return 0; // no entry begins so
        line += read_step(&table, code);
        unit += (first & 7) + 1;
        if (table.at > table.end)
            return 0;
        if (place->place < unit)
            return code == LOCATION_NONE ? 0 : line;
    }
    return 0;
}

uint32_t guest_lines__find(const struct guest_place *place, const uint8_t *table)
{
    if (place->place == WIRE_GUEST_PLACE_NONE)
        return 0;
    switch (place->kind) {
    case WIRE_GUEST_CPYTHON:
        return place->version >= 0x030b ? find_location(place, table) : 0;
    case WIRE_GUEST_PHP:
        return place->place; // the kernel side has read it
    default:
        return 0;
    }
}
