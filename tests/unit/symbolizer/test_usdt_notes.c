// USDT notes: what they say, where prelink has moved them, and every way in which they can be cut or lie.
#include "symbolizer/symbols/usdt_notes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/symbolizer/small_elf.h"

struct seen {
    size_t count;
    struct usdt_note last;
    char words[256];
    int answer;
};

static int see(const struct usdt_note *note, void *context)
{
    struct seen *seen = context;
    seen->count++;
    seen->last = *note;
    snprintf(seen->words, sizeof(seen->words), "%s|%s|%s", note->provider, note->name, note->arguments);
    return seen->answer;
}

// Appends a note, and returns its bytes.
static size_t put_note(uint8_t *at, const char *owner, uint32_t type, const uint64_t words[3], const char *strings,
                       size_t strings_bytes)
{
    Elf64_Nhdr head = {
        .n_namesz = (uint32_t)strlen(owner) + 1, .n_descsz = (uint32_t)(24 + strings_bytes), .n_type = type};
    size_t name_bytes = (head.n_namesz + 3) & ~3u;
    memcpy(at, &head, sizeof(head));
    memcpy(at + sizeof(head), owner, head.n_namesz);
    memcpy(at + sizeof(head) + name_bytes, words, 24);
    memcpy(at + sizeof(head) + name_bytes + 24, strings, strings_bytes);
    return sizeof(head) + name_bytes + ((head.n_descsz + 3) & ~3u);
}

static int walk(const uint8_t *notes, size_t length_bytes, uint64_t base, struct seen *seen)
{
    struct small_elf elf = {0};
    small_elf__add(&elf, ".note.stapsdt", SHT_NOTE, notes, length_bytes, 0);
    if (base) {
        small_elf__add(&elf, ".stapsdt.base", SHT_PROGBITS, "", 1, 0);
        elf.sections[1].address = base;
    }
    struct elf_file *file = small_elf__open(&elf);
    assert_non_null(file);
    int err = usdt_notes__each(file, see, seen);
    elf_file__free(file);
    return err;
}

static const uint64_t words[3] = {0x1010, 0x2000, 0x4008};
#define STRINGS "prov\0name\0-4@%eax 8@$1"

static void says_what_the_note_says(void **state)
{
    uint8_t notes[512] = {0};
    struct seen seen = {0};
    (void)state;
    size_t bytes = put_note(notes, "stapsdt", 3, words, STRINGS, sizeof(STRINGS));
    assert_int_equal(walk(notes, bytes, 0x2000, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.words, "prov|name|-4@%eax 8@$1");
    assert_int_equal(seen.last.address, 0x1010);
    assert_int_equal(seen.last.semaphore, 0x4008);
    seen = (struct seen){0};
    assert_int_equal(walk(notes, bytes, 0x2300, &seen), 0); // moved by 0x300 since it was linked
    assert_int_equal(seen.last.address, 0x1310);
    assert_int_equal(seen.last.semaphore, 0x4308);
    const uint64_t plain[3] = {0x1010, 0x2000, 0};
    seen = (struct seen){0};
    bytes = put_note(notes, "stapsdt", 3, plain, STRINGS, sizeof(STRINGS));
    assert_int_equal(walk(notes, bytes, 0x2300, &seen), 0);
    assert_int_equal(seen.last.semaphore, 0);
}

static void leaves_other_notes_out(void **state)
{
    uint8_t notes[512] = {0};
    struct seen seen = {0};
    (void)state;
    size_t bytes = put_note(notes, "stapsdt", 2, words, STRINGS, sizeof(STRINGS));
    bytes += put_note(notes + bytes, "GNU", 3, words, STRINGS, sizeof(STRINGS));
    bytes += put_note(notes + bytes, "stapsdt", 3, words, "no end", 6);
    bytes += put_note(notes + bytes, "stapsdt", 3, words, "prov\0name", 9);
    bytes += put_note(notes + bytes, "stapsdt", 3, words, "a\0b\0", 5);
    assert_int_equal(walk(notes, bytes, 0, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.words, "a|b|");
}

static void ends_when_told(void **state)
{
    uint8_t notes[512] = {0};
    struct seen seen = {.answer = -E2BIG};
    (void)state;
    size_t bytes = put_note(notes, "stapsdt", 3, words, STRINGS, sizeof(STRINGS));
    bytes += put_note(notes + bytes, "stapsdt", 3, words, STRINGS, sizeof(STRINGS));
    assert_int_equal(walk(notes, bytes, 0, &seen), -E2BIG);
    assert_int_equal(seen.count, 1);
}

static void stands_cuts_and_lies(void **state)
{
    uint8_t notes[512] = {0};
    (void)state;
    size_t first = put_note(notes, "stapsdt", 3, words, STRINGS, sizeof(STRINGS));
    size_t bytes = first + put_note(notes + first, "stapsdt", 3, words, STRINGS, sizeof(STRINGS));
    size_t whole = sizeof(Elf64_Nhdr) + sizeof("stapsdt") + 24 + sizeof(STRINGS);
    for (size_t cut = 0; cut < first + whole; cut++) {
        struct seen seen = {0};
        int err = walk(notes, cut, 0, &seen);
        assert_true(err == 0 || err == -EBADMSG || err == -ENOENT); // an empty section may count as none
        assert_true(seen.count == (cut >= whole));                  // the padding behind the last one need not be there
    }
    // Every byte of the first note's head set to the most it can be: nothing is read outside.
    for (size_t i = 0; i < sizeof(Elf64_Nhdr); i++) {
        uint8_t lying[512];
        struct seen seen = {0};
        memcpy(lying, notes, sizeof(lying));
        lying[i] = 0xff;
        int err = walk(lying, bytes, 0, &seen);
        assert_true(err == 0 || err == -EBADMSG);
        assert_true(seen.count <= 2);
    }
}

static void a_file_without(void **state)
{
    struct small_elf elf = {0};
    struct seen seen = {0};
    (void)state;
    small_elf__add(&elf, ".note.other", SHT_NOTE, "", 1, 0);
    struct elf_file *file = small_elf__open(&elf);
    assert_int_equal(usdt_notes__each(file, see, &seen), -ENOENT);
    elf_file__free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_note_says), cmocka_unit_test(leaves_other_notes_out),
        cmocka_unit_test(ends_when_told),          cmocka_unit_test(stands_cuts_and_lies),
        cmocka_unit_test(a_file_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
