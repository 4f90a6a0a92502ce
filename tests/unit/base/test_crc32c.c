// CRC32C against the vectors of RFC 3720 (B.4), with and without the processor's instruction, in pieces of any length.
#include "store/base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void vectors_hold(void **state)
{
    (void)state;
    uint8_t zeroes[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof(ones));
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = 31 - i;
    }
    const struct {
        const void *bytes;
        size_t length;
        uint32_t crc;
    } vectors[] = {{"", 0, 0},           {"123456789", 9, 0xe3069283}, {zeroes, 32, 0x8a9136aa}, {ones, 32, 0x62a8ab43},
                   {up, 32, 0x46dd794e}, {down, 32, 0x113fdb5c}};
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_int_equal(crc32c(0, vectors[i].bytes, vectors[i].length), vectors[i].crc);
        assert_int_equal(crc32c__portable(0, vectors[i].bytes, vectors[i].length), vectors[i].crc);
    }
}

static void pieces_add_up(void **state)
{
    (void)state;
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * i + 7);
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        uint32_t whole = crc32c__portable(0, bytes, sizeof(bytes));
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof(bytes) - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors_hold), cmocka_unit_test(pieces_add_up)};
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
