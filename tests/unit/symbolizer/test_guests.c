// Interpreters in ELF files, and the lines of their code: by the interpreter of this machine, and by files that lie.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/guests/guest_lines.h"
#include "symbolizer/guests/guests.h"
#include "symbolizer/unwind/unwind_rows.h"

// --- This machine's python3

static void this_python_is_found(void **state)
{
    struct guest_found found;
    int fd = open("/usr/bin/python3", O_RDONLY | O_CLOEXEC);
    (void)state;
    if (fd < 0)
        skip();
    guests__find(fd, &found);
    if (!found.loop || found.refused) { // linked with libpython, or of a version that is not known
        print_message("python3: %s\n", found.refused ? found.refused : "its loop is in another file");
        close(fd);
        skip();
    }
    assert_int_equal(found.guest.kind, WIRE_GUEST_CPYTHON);
    assert_in_range(found.guest.version, 0x030b, 0x030e);
    assert_true(found.guest.key && found.guest.code_type);
    close(fd);
}

static void count_marked(uint64_t offset, const struct unwind_rule *rule, void *context)
{
    (void)offset;
    *(size_t *)context += (rule->kind & UNWIND_GUEST) != 0;
}

static void only_the_loop_is_marked(void **state)
{
    struct unwind_table *plain, *marked;
    struct guest_found found;
    size_t rows = 0, none = 0;
    int fd = open("/usr/bin/python3", O_RDONLY | O_CLOEXEC);
    (void)state;
    if (fd < 0)
        skip();
    guests__find(fd, &found);
    if (!found.guest.kind)
        skip();
    assert_int_equal(unwind_table__compile(fd, NULL, &plain), 0);
    assert_int_equal(unwind_table__compile_marked(fd, found.loop, NULL, &marked), 0);
    unwind_table__each(plain, count_marked, &none);
    unwind_table__each(marked, count_marked, &rows);
    assert_int_equal(none, 0);
    assert_true(rows > 0);
    uint64_t loop = found.loop - found.guest.text_delta;
    assert_true(unwind_table__find(marked, loop + 64).kind & UNWIND_GUEST);
    // But for the mark, the rules are the same.
    for (uint64_t at = loop > 65536 ? loop - 65536 : 0; at < loop + 131072; at += 7) {
        struct unwind_rule one = unwind_table__find(plain, at), other = unwind_table__find(marked, at);
        other.kind &= (uint8_t)~UNWIND_GUEST;
        assert_memory_equal(&one, &other, sizeof(one));
    }
    unwind_table__free(plain);
    unwind_table__free(marked);
    close(fd);
}

static int copy_of(const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int copy = memfd_create("copy", MFD_CLOEXEC);
    static uint8_t block[1 << 16];
    ssize_t got;
    while (from >= 0 && (got = read(from, block, sizeof(block))) > 0)
        assert_int_equal(write(copy, block, (size_t)got), got);
    if (from >= 0)
        close(from);
    return copy;
}

// --- This machine's php

static void this_php_is_found(void **state)
{
    struct guest_found found;
    int fd = open("/usr/bin/php", O_RDONLY | O_CLOEXEC);
    (void)state;
    if (fd < 0)
        skip();
    guests__find(fd, &found);
    close(fd);
    if (found.refused) {
        print_message("php: %s\n", found.refused);
        skip();
    }
    assert_int_equal(found.guest.kind, WIRE_GUEST_PHP);
    assert_in_range(found.guest.version, 0x0704, 0x0804);
    assert_true(found.loop && found.guest.key && found.guest.php.code_file);
    for (size_t i = 0; i < WIRE_PHP_CALLERS; i++)
        assert_true(found.guest.php.callers[i].from < found.guest.php.callers[i].to);
}

// Why a copy of php with another text in the place of one is not followed; of the same length.
static const char *refused_with(const char *text, const char *other)
{
    struct guest_found found;
    size_t length = strlen(text), replaced = 0;
    int fd = copy_of("/usr/bin/php");
    off_t bytes = lseek(fd, 0, SEEK_END);
    uint8_t *data = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(data != MAP_FAILED && strlen(other) == length);
    for (uint8_t *at = data; (at = memmem(at, (size_t)(data + bytes - at), text, length)); at++, replaced++)
        memcpy(at, other, length);
    munmap(data, (size_t)bytes);
    guests__find(fd, &found);
    close(fd);
    assert_true(replaced > 0);
    assert_int_equal(found.guest.kind, WIRE_GUEST_NONE);
    return found.refused ? found.refused : "no guest";
}

static void other_builds_of_php_are_refused(void **state)
{
    (void)state;
    if (access("/usr/bin/php", R_OK) != 0)
        skip();
    assert_string_equal(refused_with("executor_globals", "executor_GLOBALS"), "a thread-safe build of PHP (ZTS)");
    assert_string_equal(refused_with("API4", "API9"), "a version of PHP that hearth does not know");
    assert_string_equal(refused_with(",NTS", ",nts"), "its version (API420220829,NTS or the like) is not in the file");
    assert_string_equal(refused_with("execute_ex", "execute_EX"), "no guest");
}

// --- A file that lies

// A copy of python3 in which each 8 bytes from an address on are overwritten.
static int damaged_copy(uint64_t at, uint64_t bytes)
{
    int copy = copy_of("/usr/bin/python3");
    for (uint64_t i = 0; i < bytes; i += 8) {
        uint64_t noise = ((uint64_t)rand() << 40) ^ ((uint64_t)rand() << 20) ^ (uint64_t)rand();
        assert_int_equal(pwrite(copy, &noise, sizeof(noise), (off_t)(at + i)), sizeof(noise));
    }
    return copy;
}

static void damaged_files_are_refused_or_harmless(void **state)
{
    (void)state;
    if (access("/usr/bin/python3", R_OK) != 0)
        skip();
    srand(7);
    for (uint64_t at = 64; at < 4u << 20; at = at * 3 + 8) {
        struct guest_found found;
        int fd = damaged_copy(at, 4096);
        guests__find(fd, &found);
        assert_true(!found.refused || found.guest.kind == WIRE_GUEST_NONE);
        assert_in_range(found.guest.kind, WIRE_GUEST_NONE, WIRE_GUEST_CPYTHON);
        close(fd);
    }
    struct guest_found found;
    int empty = memfd_create("empty", MFD_CLOEXEC);
    guests__find(empty, &found);
    assert_int_equal(found.guest.kind, WIRE_GUEST_NONE);
    close(empty);
}

// --- Lines

static uint32_t line_at(uint32_t place, const void *table, size_t bytes)
{
    const struct guest_place asked = {.kind = WIRE_GUEST_CPYTHON,
                                      .version = 0x030b,
                                      .first_line = 100,
                                      .place = place,
                                      .table_bytes = (uint32_t)bytes};
    return guest_lines__find(&asked, table);
}
#define LINE(place, table) line_at(place, table, sizeof(table) - 1)

static void lines_are_those_of_the_table(void **state)
{
    (void)state;
    // One unit without a line; two on the next line (code 11); three on it (short); eight ten lines on (no columns,
    // +10); one two lines back (long, -2).
    static const char table[] = "\xf8"
                                "\xd9\x01\x02"
                                "\x82\x11"
                                "\xef\x14"
                                "\xf0\x05\x00\x01\x02";
    assert_int_equal(LINE(0, table), 0);
    assert_int_equal(LINE(1, table), 101);
    assert_int_equal(LINE(2, table), 101);
    assert_int_equal(LINE(3, table), 101);
    assert_int_equal(LINE(5, table), 101);
    assert_int_equal(LINE(6, table), 111);
    assert_int_equal(LINE(13, table), 111);
    assert_int_equal(LINE(14, table), 109);
    assert_int_equal(LINE(15, table), 0); // behind its end
    assert_int_equal(LINE(WIRE_GUEST_PLACE_NONE, table), 0);
    assert_int_equal(LINE(0, "\x01\x02"), 0); // no entry begins so
    assert_int_equal(LINE(0, "\xd8\x01"), 0); // cut
    assert_int_equal(line_at(0, "", 0), 0);
}

static void lines_of_php_are_places(void **state)
{
    (void)state;
    assert_int_equal(guest_lines__find(&(struct guest_place){WIRE_GUEST_PHP, 0x0802, 7, 9, 0}, NULL), 9);
    assert_int_equal(
        guest_lines__find(&(struct guest_place){WIRE_GUEST_PHP, 0x0802, 7, WIRE_GUEST_PLACE_NONE, 0}, NULL), 0);
    assert_int_equal(guest_lines__find(&(struct guest_place){WIRE_GUEST_END, 0x0802, 7, 9, 0}, NULL), 0);
}

// The table of a function of this python3, and the lines that it says itself.
static void lines_are_those_that_python_tells(void **state)
{
    (void)state;
    FILE *told = popen("/usr/bin/python3 -c '\n"
                       "import dis, sys, textwrap\n"
                       "if not (3, 11) <= sys.version_info[:2] <= (3, 14): sys.exit()\n"
                       "for function in (textwrap.TextWrapper._wrap_chunks, textwrap.dedent, dis.dis):\n"
                       "    code = function.__code__\n"
                       "    print(code.co_firstlineno, code.co_linetable.hex())\n"
                       "    for start, end, line in code.co_lines():\n"
                       "        for at in range(start, end, 2): print(at // 2, line or 0)\n"
                       "    print(-1, 0)' 2>/dev/null",
                       "r");
    assert_non_null(told);
    uint32_t first, line;
    size_t checked = 0;
    static char hex[1 << 16];
    while (fscanf(told, "%u %65535s", &first, hex) == 2) {
        static uint8_t table[1 << 15];
        size_t bytes = strlen(hex) / 2;
        for (size_t i = 0; i < bytes; i++) {
            const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
            table[i] = (uint8_t)strtoul(digits, NULL, 16);
        }
        int place;
        while (fscanf(told, "%d %u", &place, &line) == 2 && place >= 0) {
            const struct guest_place asked = {WIRE_GUEST_CPYTHON, 0x030b, first, (uint32_t)place, (uint32_t)bytes};
            assert_int_equal(guest_lines__find(&asked, table), line);
            checked++;
        }
    }
    pclose(told);
    if (!checked)
        skip();
    assert_true(checked > 100);
}

static void any_bytes_end(void **state)
{
    uint8_t table[512];
    (void)state;
    srand(3);
    for (int turn = 0; turn < 20000; turn++) {
        size_t bytes = (size_t)rand() % sizeof(table);
        for (size_t i = 0; i < bytes; i++)
            table[i] = (uint8_t)(rand() % 3 ? rand() : rand() | 0xc0);
        line_at((uint32_t)rand() % 600, table, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_python_is_found),
        cmocka_unit_test(only_the_loop_is_marked),
        cmocka_unit_test(this_php_is_found),
        cmocka_unit_test(other_builds_of_php_are_refused),
        cmocka_unit_test(damaged_files_are_refused_or_harmless),
        cmocka_unit_test(lines_of_php_are_places),
        cmocka_unit_test(lines_are_those_of_the_table),
        cmocka_unit_test(lines_are_those_that_python_tells),
        cmocka_unit_test(any_bytes_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
