// Functions of interpreters as the kernel side tells them: each once, its texts to UTF-8, whatever a note holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/naming/guest_codes.h"
#include "collector/naming/guest_text.h"

static struct wire_guest_note note_of(uint32_t id, const char *name, const char *file, uint32_t table_bytes)
{
    struct wire_guest_note note = {.kind = WIRE_GUEST_CPYTHON,
                                   .id = id,
                                   .version = 0x030b,
                                   .first_line = 7,
                                   .name_width = 1,
                                   .file_width = 1,
                                   .table_bytes = table_bytes,
                                   .table_length = table_bytes};
    note.name_bytes = (uint32_t)strlen(name);
    note.file_bytes = (uint32_t)strlen(file);
    memcpy(note.name, name, note.name_bytes);
    memcpy(note.file, file, note.file_bytes);
    memset(note.table, 0xab, table_bytes);
    return note;
}

static size_t length_of(const struct wire_guest_note *note)
{
    return (offsetof(struct wire_guest_note, table) + note->table_bytes + 7) & ~7ull; // as the ring buffer has it
}

static void a_code_is_known_once(void **state)
{
    struct guest_codes *codes;
    (void)state;
    assert_int_equal(guest_codes__new(-1, -1, &codes), 0);
    struct wire_guest_note first = note_of(1, "leaf", "/srv/a.py", 5), again = note_of(9, "leaf", "/srv/a.py", 5),
                           other = note_of(2, "key", "/srv/a.py", 0), shim = note_of(3, "__init__", "<shim>", 0);
    guest_codes__take(codes, &first, length_of(&first));
    guest_codes__take(codes, &again, length_of(&again));
    guest_codes__take(codes, &other, length_of(&other));
    guest_codes__take(codes, &shim, length_of(&shim));
    const struct guest_code *code = guest_codes__find(codes, 1);
    assert_string_equal(code->name, "leaf");
    assert_string_equal(code->file, "/srv/a.py");
    assert_int_equal(code->table_bytes, 5);
    assert_memory_equal(code->table, first.table, 5);
    assert_ptr_equal(guest_codes__find(codes, 9), code);
    assert_int_equal(guest_codes__find(codes, 2)->file_number, code->file_number);
    assert_true(guest_codes__find(codes, 2)->identity != code->identity);
    assert_true(code->identity >> 38 == 0);
    assert_true(guest_codes__find(codes, 3)->is_hidden && !code->is_hidden);
    assert_null(guest_codes__find(codes, 4));
    assert_null(guest_codes__find(codes, UINT32_MAX));
    guest_codes__free(codes);
}

static void a_note_that_makes_no_sense_is_passed(void **state)
{
    struct guest_codes *codes;
    (void)state;
    assert_int_equal(guest_codes__new(-1, -1, &codes), 0);
    struct wire_guest_note note = note_of(1, "f", "g", 8);
    guest_codes__take(codes, &note, 8);
    note.name_bytes = WIRE_GUEST_TEXT_BYTES + 1;
    guest_codes__take(codes, &note, length_of(&note));
    note.name_bytes = 1;
    note.table_bytes = 4096;
    guest_codes__take(codes, &note, offsetof(struct wire_guest_note, table) + 8);
    assert_null(guest_codes__find(codes, 1));
    note.table_bytes = 8;
    note.id = UINT32_MAX;
    guest_codes__take(codes, &note, length_of(&note));
    assert_int_equal(guest_codes__refused(codes), 1);
    guest_codes__free(codes);
}

// A note of PHP: a function with its class, and a file's own code.
static const char *name_of_php(const char *class, size_t class_bytes, const char *name)
{
    static char text[GUEST_NAME_BYTES];
    struct wire_guest_note note = note_of(1, name, "/srv/app/index.php", (uint32_t)class_bytes);
    note.kind = WIRE_GUEST_PHP;
    note.name_width = note.file_width = WIRE_GUEST_UTF8;
    memcpy(note.table, class, class_bytes);
    guest_text__name(&note, "/srv/app/index.php", text);
    return text;
}

static void functions_of_php_have_their_class(void **state)
{
    (void)state;
    assert_string_equal(name_of_php("", 0, "run"), "run");
    assert_string_equal(name_of_php("App\\Größe", 11, "run"), "App\\Größe::run");
    assert_string_equal(name_of_php("class@anonymous\0/srv/a.php:3$0", 30, "run"), "class@anonymous::run");
    assert_string_equal(name_of_php("", 0, ""), "index.php");
    assert_string_equal(name_of_php("\xff", 1, "a\xc3"), "?::a?");
    struct guest_codes *codes;
    assert_int_equal(guest_codes__new(-1, -1, &codes), 0);
    struct wire_guest_note one = note_of(1, "run", "/srv/a.php", 3), other = note_of(2, "run", "/srv/a.php", 3);
    one.kind = other.kind = WIRE_GUEST_PHP;
    memcpy(one.table, "One", 3);
    memcpy(other.table, "Two", 3);
    guest_codes__take(codes, &one, length_of(&one));
    guest_codes__take(codes, &other, length_of(&other));
    assert_string_equal(guest_codes__find(codes, 1)->name, "One::run");
    assert_string_equal(guest_codes__find(codes, 2)->name, "Two::run");
    guest_codes__free(codes);
}

// However many a program makes, memory is bounded; those known before stay.
static void memory_is_bounded(void **state)
{
    struct guest_codes *codes;
    char name[32];
    (void)state;
    assert_int_equal(guest_codes__new(-1, -1, &codes), 0);
    uint32_t id = 1;
    for (; id < 40000 && !guest_codes__refused(codes); id++) {
        snprintf(name, sizeof(name), "made_%u", id);
        struct wire_guest_note note = note_of(id, name, "<string>", WIRE_GUEST_TABLE_BYTES);
        guest_codes__take(codes, &note, length_of(&note));
    }
    assert_in_range(id, 10000, 39999);
    assert_string_equal(guest_codes__find(codes, 1)->name, "made_1");
    assert_null(guest_codes__find(codes, id - 1));
    guest_codes__free(codes);
}

static void texts_become_utf8(void **state)
{
    char text[GUEST_TEXT_BYTES];
    (void)state;
    guest_text__copy((const uint8_t *)"gr\xf6\xdf"
                                      "e",
                     5, 1, text);
    assert_string_equal(text, "größe");
    guest_text__copy((const uint8_t *)"\xfd\x51\x70\x65", 4, 2, text);
    assert_string_equal(text, "函数");
    guest_text__copy((const uint8_t *)"\x00\xf6\x01\x00\x41\x00\x00\x00", 8, 4, text);
    assert_string_equal(text, "\xf0\x9f\x98\x80"
                              "A");
    guest_text__copy((const uint8_t *)"\x00\xd8\x41\x00", 4, 2, text); // half a pair
    assert_string_equal(text, "?A");
    guest_text__copy((const uint8_t *)"a\0b", 3, 1, text);
    assert_string_equal(text, "a?b");
    guest_text__copy((const uint8_t *)"abc", 3, 3, text);
    assert_string_equal(text, "");
    uint8_t full[WIRE_GUEST_TEXT_BYTES];
    memset(full, 'x', sizeof(full));
    full[sizeof(full) - 1] = 0xe5; // the first byte of a character that the note's room cut
    guest_text__copy(full, sizeof(full), WIRE_GUEST_UTF8, text);
    assert_int_equal(strlen(text), sizeof(full) - 1 + 3);
    assert_string_equal(text + strlen(text) - 4, "x...");
    for (uint32_t width = 1; width <= 4; width *= 2) {
        memset(full, 0xff, sizeof(full));
        guest_text__copy(full, sizeof(full), width, text);
        assert_true(strlen(text) < GUEST_TEXT_BYTES);
        assert_string_equal(text + strlen(text) - 3, "...");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_known_once),
        cmocka_unit_test(a_note_that_makes_no_sense_is_passed),
        cmocka_unit_test(functions_of_php_have_their_class),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(texts_become_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
