// Calls of Go's runtime to another stack, found by the code around them: in programs that Go has linked, nowhere else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "symbolizer/unwind/unwind_go.h"

enum { IMAGE = 0x2000, CODE = 0x1000, NAMES = 0x800, NOTE = 0x900, SECTIONS = 0xa00 };

static uint8_t image[IMAGE];

// An ELF of one executable segment, with the sections .shstrtab and `name`.
static void make_image(const char *name)
{
    memset(image, 0x90, sizeof(image)); // nop
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_X86_64,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 1,
                         .e_shoff = SECTIONS,
                         .e_shentsize = sizeof(Elf64_Shdr),
                         .e_shnum = 3,
                         .e_shstrndx = 1};
    Elf64_Phdr segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = IMAGE};
    Elf64_Shdr sections[3] = {
        {0},
        {.sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = NAMES, .sh_size = 64},
        {.sh_name = 11, .sh_type = SHT_NOTE, .sh_offset = NOTE, .sh_size = 32},
    };
    memcpy(image, &header, sizeof(header));
    memcpy(image + sizeof(header), &segment, sizeof(segment));
    memset(image + NAMES, 0, 64);
    strcpy((char *)image + NAMES + 1, ".shstrtab");
    strcpy((char *)image + NAMES + 11, name);
    memcpy(image + SECTIONS, sections, sizeof(sections));
}

static void put(size_t at, const char *code, size_t bytes)
{
    memcpy(image + at, code, bytes);
}
#define PUT(at, code) put(at, code, sizeof(code) - 1)

static void make_code(void)
{
    PUT(CODE, "\x48\x89\xfa\x48\x8b\x3f\xff\xd7");                                             // systemstack
    PUT(CODE + 0x100, "\x48\x89\xfa\x48\x8b\x3f\xff\xe7");                                     // its jump: no call
    PUT(CODE + 0x200, "\x50\x4c\x8b\x22\x41\xff\xd4\x58\xe9\x11\x22\x33\x44");                 // mcall
    PUT(CODE + 0x300, "\x48\x8b\x63\x38\xe8\x11\x22\x33\x44\xe8\x55\x66\x77\x88\xc3");         // morestack
    PUT(CODE + 0x400, "\x48\x8b\x63\x38\xe8\x11\x22\x33\x44\xe8\x55\x66\x77\x88\x90");         // like it
    PUT(CODE + 0x500, "\x41\xff\xd4\xbf\x6f\x00\x00\x00\xb8\x3c\x00\x00\x00\x0f\x05");         // clone
    PUT(CODE + 0x600, "\x90\xe8\x11\x22\x33\x44\x90\xcc\xcc");                                 // goexit
    PUT(CODE + 0x700, "\x48\x89\x7c\x24\x28\x48\x89\xdf\x48\x89\xd9\xff\xd0");                 // asmcgocall
    PUT(CODE + 0x800, "\x48\x89\x54\x24\x28\x48\x89\xdf\x48\x89\xd9\xff\xd0");                 // on the system stack
    PUT(CODE + 0x900, "\x48\x29\xd7\x48\x89\x3c\x24\xe8\x7c\xff\xff\xff\x48\x8b\x7c\x24\x08"); // by a landing pad
    PUT(CODE + 0xa00, "\x48\xc7\x44\x24\x08\x00\x00\x00\x00\x48\x89\x14\x24\xe8\x43\xff\xff\xff\x48\x8b\x34\x24");
    PUT(CODE + 0xb00, "\x41\x57\x48\x89\xfb\x48\x89\xd7\xff\xd6\xff\xd3");         // crosscall1
    PUT(CODE + 0xc00, "\xcc\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05\xcd\x03");         // sigreturn
    PUT(CODE + 0xd00, "\x50\x4c\x8b\x22\x41\xff\xd4\x90\x58\xe9\x11\x22\x33\x44"); // mcall of Go 1.24
    PUT(CODE + 0xe00, "\x48\x8b\x63\x38\x48\x8b\x6b\x68\xe8\x11\x22\x33\x44\xe8\x55\x66\x77\x88\xc3"); // its morestack
    PUT(CODE + 0xf00, "\xcc\xe8\x11\x22\x33\x44\xc3\xcc\xcc");                                         // mstart
    PUT(CODE + 0xf80, "\xcc\xe8\x11\x22\x33\x44\x5d\xc3\xcc");                                         // a frame
    PUT(IMAGE - 8, "\x48\x8b\x63\x38\xe8\x11\x22\x33"); // cut by the file's end
}

struct found {
    uint64_t offsets[16], bytes[16];
    uint32_t kinds[16];
    size_t count;
};

static int take(uint64_t file_offset, uint64_t bytes, struct unwind_rule rule, void *context)
{
    struct found *found = context;
    assert_true(found->count < 16);
    found->offsets[found->count] = file_offset;
    found->kinds[found->count] = UNWIND_KIND_OF(rule.kind);
    found->bytes[found->count++] = bytes;
    return 0;
}

static void find(struct found *found)
{
    struct unwind_elf elf;
    struct fault fault = {0};
    memset(found, 0, sizeof(*found));
    assert_int_equal(unwind_elf__open(-1, image, sizeof(image), &fault, &elf), 0);
    assert_int_equal(unwind_go__each_switch(&elf, take, found), 0);
    unwind_elf__close(&elf);
}

static void test_finds_the_calls(void **state)
{
    (void)state;
    static const uint64_t offsets[] = {CODE + 6,     CODE + 0x204, CODE + 0xd04, CODE + 0x304, CODE + 0xe08,
                                       CODE + 0x500, CODE + 0xf01, CODE + 0x600, CODE + 0x70b, CODE + 0x80b,
                                       CODE + 0x907, CODE + 0xa0d, CODE + 0xc00, CODE + 0xb08};
    static const uint64_t bytes[] = {2, 3, 3, 5, 5, 3, 5, 7, 2, 2, 5, 5, 10, 4};
    static const uint32_t kinds[] = {UNWIND_END,     UNWIND_END, UNWIND_END,    UNWIND_END,     UNWIND_END,
                                     UNWIND_END,     UNWIND_SP,  UNWIND_END,    UNWIND_GO_CALL, UNWIND_SP_DEREF_8,
                                     UNWIND_GO_CALL, UNWIND_BP,  UNWIND_SIGNAL, UNWIND_SP};
    struct found found;
    make_image(".note.go.buildid");
    make_code();
    find(&found);
    assert_int_equal(found.count, 14);
    for (size_t i = 0; i < 14; i++) {
        assert_int_equal(found.kinds[i], kinds[i]);
        assert_int_equal(found.offsets[i], offsets[i]);
        assert_int_equal(found.bytes[i], bytes[i]);
    }
}

static void test_leaves_others_alone(void **state)
{
    (void)state;
    struct found found;
    make_image(".note.gnu.property");
    make_code();
    find(&found);
    assert_int_equal(found.count, 0);
}

// The call ends the stack, and nothing before it.
static void test_rows(void **state)
{
    (void)state;
    struct fault fault = {0};
    make_image(".note.go.buildid");
    make_code();
    _cleanup_(unwind_table__freep) struct unwind_table *table = NULL;
    assert_int_equal(unwind_table__compile_memory(image, sizeof(image), &fault, &table), 0);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE + 5).kind), UNWIND_GAP);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE + 6).kind), UNWIND_END);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE + 7).kind), UNWIND_END);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE + 0x208).kind), UNWIND_GAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_calls),
        cmocka_unit_test(test_leaves_others_alone),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
