// Which headers ask for gzip, and what is worth it.
#include "report/serve/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

static void headers_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *accepted;
        bool takes_gzip;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZip", true},
        {"deflate, gzip;q=1.0, *;q=0.5", true},
        {"br;q=1.0,gzip ; q=0.001", true},
        {"  ,, \tx-gzip", true},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0, *", false},
        {"*, gzip;q=0.000", false},
        {"gzip;q=", false},
        {"identity", false},
        {"gzipped", false},
        {"br, deflate", false},
        {"br;q=gzip", false},
        {";;;,;q=1,", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(encoding__takes_gzip(cases[i].accepted), cases[i].takes_gzip);
}

static uint8_t *bytes_of(size_t length, bool is_random)
{
    uint8_t *bytes = calloc(length, 1);
    uint32_t seed = 7;
    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(is_random ? seed >> 24 : i / 100);
    }
    return bytes;
}

static void only_what_shrinks_is_packed(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        bool is_random, is_packed;
    } cases[] = {{0, false, false},
                 {LIMIT_SERVE_GZIP_LEAST_BYTES - 1, false, false},
                 {LIMIT_SERVE_GZIP_LEAST_BYTES, false, true},
                 {1 << 20, false, true},
                 {1 << 20, true, false},
                 {LIMIT_SERVE_GZIP_MOST_BYTES + 1, false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t packed_bytes = 0;
        _cleanup_free_ uint8_t *bytes = bytes_of(cases[i].length + 1, cases[i].is_random);
        _cleanup_free_ uint8_t *back = calloc(cases[i].length + 1, 1);
        _cleanup_free_ uint8_t *packed = encoding__pack(bytes, cases[i].length, &packed_bytes);
        assert_int_equal(packed != NULL, cases[i].is_packed);
        if (!packed)
            continue;
        z_stream stream = {.next_in = packed,
                           .avail_in = (unsigned)packed_bytes,
                           .next_out = back,
                           .avail_out = (unsigned)cases[i].length + 1};
        assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(stream.total_out, cases[i].length);
        assert_memory_equal(back, bytes, cases[i].length);
        inflateEnd(&stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_understood),
        cmocka_unit_test(only_what_shrinks_is_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
