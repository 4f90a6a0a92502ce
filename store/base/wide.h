// Numbers that no 64 bits hold: what up to 2^63 values of 64 bits, signed or unsigned, add up to.
#ifndef HEARTH_STORE_BASE_WIDE_H
#define HEARTH_STORE_BASE_WIDE_H

#include <stdint.h>

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 wide_magnitude;

#define WIDE_TEXT_BYTES 41 // a sign and 39 digits

// In decimal.
static inline const char *wide__text(wide number, char ret_text[WIDE_TEXT_BYTES])
{
    wide_magnitude rest = number < 0 ? -(wide_magnitude)number : (wide_magnitude)number;
    char digits[WIDE_TEXT_BYTES], *at = ret_text;
    int count = 0;
    do
        digits[count++] = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) != 0);
    if (number < 0)
        *at++ = '-';
    while (count)
        *at++ = digits[--count];
    *at = '\0';
    return ret_text;
}

static inline int wide__fits_u64(wide number)
{
    return number >= 0 && number <= (wide)UINT64_MAX;
}

static inline int wide__fits_i64(wide number)
{
    return number >= INT64_MIN && number <= INT64_MAX;
}

// Of values with stacks: UINT64_MAX stands for itself and all above.
static inline uint64_t saturated_sum(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static inline uint64_t saturated_u64(wide number)
{
    return number < 0 ? 0 : wide__fits_u64(number) ? (uint64_t)number : UINT64_MAX;
}

#endif
