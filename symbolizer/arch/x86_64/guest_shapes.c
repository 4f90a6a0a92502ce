#include "symbolizer/arch/guest_shapes.h"

#include <string.h>

#include "symbolizer/arch/instruction.h"

static int64_t distance_at(const uint8_t *code)
{
    int32_t distance;
    memcpy(&distance, code, sizeof(distance));
    return distance;
}

// 0f 80 to 0f 8f: jcc with 4 bytes.
bool guest_shapes__is_far_jump(const uint8_t *code, size_t bytes, int64_t *ret_distance)
{
    if (bytes < 6 || code[0] != 0x0f || (code[1] & 0xf0) != 0x80)
        return false;
    *ret_distance = 6 + distance_at(code + 2);
    return true;
}

bool guest_shapes__argument(const uint8_t *code, size_t bytes, uint64_t address, uint64_t base,
                            struct guest_argument *ret_argument)
{
    for (size_t at = 0; at + 8 <= bytes;) {
        const uint8_t *here = code + at;
        uint64_t end = address + at;
        if (here[0] == 0x8b && here[1] == 0x3d) { // mov distance(%rip), %edi
            *ret_argument = (struct guest_argument){end + 6 + (uint64_t)distance_at(here + 2), true};
            return true;
        }
        if (here[0] == 0xbf) { // mov $address, %edi
            *ret_argument = (struct guest_argument){(uint32_t)distance_at(here + 1), false};
            return true;
        }
        if (here[0] == 0x48 && here[1] == 0x8d && here[2] == 0x3d) { // lea distance(%rip), %rdi
            *ret_argument = (struct guest_argument){end + 7 + (uint64_t)distance_at(here + 3), false};
            return true;
        }
        // lea distance(%register), %rdi
        if (here[0] == 0x48 && here[1] == 0x8d && (here[2] & 0xf8) == 0xb8 && here[2] != 0xbc) {
            *ret_argument = (struct guest_argument){base + (uint64_t)distance_at(here + 3), false};
            return true;
        }
        size_t length = instruction__bytes(here, bytes - at);
        if (!length)
            return false;
        at += length;
    }
    return false;
}
