// Both readers of ELF headers, libelf's in the worker and the bounded one in the parent, say the same of a file, whole,
// cut off anywhere, and with counts that lie. The file is this test itself, and small ones made here.
#include "symbolizer/elf/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/elf/elf_rows.h"

static int copy_of(const void *bytes, size_t length)
{
    int fd = memfd_create("copy", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, length), length);
    return fd;
}

static void assert_same_sections(const struct elf_file *file, const struct elf_file *other)
{
    assert_int_equal(elf_file__section_count(file), elf_file__section_count(other));
    for (size_t i = 0; i < elf_file__section_count(file); i++) {
        const struct elf_section *a = elf_file__section(file, i), *b = elf_file__section(other, i);
        assert_string_equal(a->name, b->name);
        assert_memory_equal(&a->type, &b->type, sizeof(a->type));
        assert_true(a->flags == b->flags && a->address == b->address && a->file_offset == b->file_offset);
        assert_true(a->bytes == b->bytes && a->link == b->link && a->info == b->info);
        assert_int_equal(a->entry_bytes, b->entry_bytes);
    }
}

static void assert_same_segments(const struct elf_file *file, const struct elf_file *other)
{
    assert_int_equal(elf_file__segment_count(file), elf_file__segment_count(other));
    for (size_t i = 0; i < elf_file__segment_count(file); i++)
        assert_memory_equal(elf_file__segment(file, i), elf_file__segment(other, i), sizeof(struct elf_segment));
}

static void assert_same_id(const struct elf_file *file, const struct elf_file *other)
{
    uint8_t ids[2][20] = {0};
    size_t lengths[2] = {0};
    assert_int_equal(elf_file__build_id(file, ids[0], &lengths[0]), elf_file__build_id(other, ids[1], &lengths[1]));
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(ids[0], ids[1], sizeof(ids[0]));
}

// Returns libelf's error.
static int compare(int fd)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL, *other = NULL;
    int err = elf_file__open(fd, ELF_BY_LIBELF, &file);
    assert_int_equal(elf_file__open(fd, ELF_BOUNDED, &other), err);
    if (err)
        return err;
    assert_int_equal(elf_file__machine(file), elf_file__machine(other));
    assert_int_equal(elf_file__is_64(file), elf_file__is_64(other));
    assert_same_segments(file, other);
    assert_same_sections(file, other);
    assert_same_id(file, other);
    return 0;
}

static void test_itself(void **state)
{
    (void)state;
    _cleanup_fd_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(compare(fd), 0);
}

// A relocatable file's image: `count` sections, the last one with the names, and a note with a build id of 3 bytes.
static size_t make_image(uint8_t *image, size_t count)
{
    static const char names[] = "\0.note\0.names";
    static const uint32_t note[] = {4, 3, NT_GNU_BUILD_ID, 0x554e47, 0xcdab};
    Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_shoff = 128,
                         .e_ehsize = sizeof(header),
                         .e_shentsize = sizeof(Elf64_Shdr),
                         .e_shnum = count < SHN_LORESERVE ? (uint16_t)count : 0,
                         .e_shstrndx = count < SHN_LORESERVE ? (uint16_t)(count - 1) : SHN_XINDEX};
    Elf64_Shdr *rows = (Elf64_Shdr *)(image + header.e_shoff);
    memcpy(image, &header, sizeof(header));
    memcpy(image + 64, names, sizeof(names));
    memcpy(image + 80, note, sizeof(note));
    for (size_t i = 1; i < count; i++)
        rows[i] = (Elf64_Shdr){.sh_type = SHT_NOTE, .sh_name = 1, .sh_offset = 80, .sh_size = 19};
    rows[count - 1] = (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_name = 7, .sh_offset = 64, .sh_size = sizeof(names)};
    if (count >= SHN_LORESERVE)
        rows[0] = (Elf64_Shdr){.sh_size = count, .sh_link = (uint32_t)count - 1};
    return header.e_shoff + count * sizeof(*rows);
}

static void test_counts(void **state)
{
    static const size_t counts[] = {3, 100, 0xfeff, 0xff00, 0x12345};
    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        _cleanup_(elf_file__freep) struct elf_file *file = NULL;
        uint8_t *image = calloc(counts[i] + 2, sizeof(Elf64_Shdr)), id[20];
        size_t id_bytes;
        _cleanup_fd_ int fd = copy_of(image, make_image(image, counts[i]));
        free(image);
        assert_int_equal(compare(fd), 0);
        assert_int_equal(elf_file__open(fd, ELF_BY_LIBELF, &file), 0);
        assert_int_equal(elf_file__section_count(file), counts[i]);
        assert_ptr_equal(elf_file__find(file, ".names"), elf_file__section(file, counts[i] - 1));
        assert_int_equal(elf_file__build_id(file, id, &id_bytes), 0);
        assert_int_equal(id_bytes, 3);
    }
}

static void test_cut_off(void **state)
{
    (void)state;
    uint8_t image[1024] = {0};
    size_t whole = make_image(image, 4);
    for (size_t length = 1; length < whole; length++) {
        _cleanup_fd_ int fd = copy_of(image, length);
        assert_int_equal(compare(fd), length < sizeof(Elf64_Ehdr) ? -EBADMSG : 0);
    }
}

// Claims that libelf would ask memory for: 4 billion sections, names and rows of terabytes.
static void test_lies(void **state)
{
    (void)state;
    uint8_t image[1024] = {0};
    size_t whole = make_image(image, 4);
    Elf64_Ehdr *header = (Elf64_Ehdr *)image;
    Elf64_Shdr *rows = (Elf64_Shdr *)(image + header->e_shoff);
    for (size_t lie = 0; lie < 4; lie++) {
        _cleanup_(elf_file__freep) struct elf_file *file = NULL;
        struct elf_rows symbols = {0};
        make_image(image, 4);
        header->e_shnum = lie == 0 ? 0 : header->e_shnum;
        rows[0].sh_size = lie == 0 ? UINT32_MAX : 0;
        rows[3].sh_size = lie == 1 ? 1ull << 42 : rows[3].sh_size;
        rows[3].sh_offset = lie == 2 ? 1ull << 42 : rows[3].sh_offset;
        rows[2] = (Elf64_Shdr){.sh_type = SHT_SYMTAB, .sh_offset = 64, .sh_size = 1ull << (lie == 3 ? 42 : 29)};
        _cleanup_fd_ int fd = copy_of(image, whole);
        assert_int_equal(compare(fd), 0);
        assert_int_equal(elf_file__open(fd, ELF_BY_LIBELF, &file), 0);
        assert_int_equal(elf_file__section_count(file), lie == 0 ? 0 : 4);
        if (lie > 0)
            assert_int_equal(elf_rows__open(file, elf_file__section(file, 2), 0, &symbols),
                             lie == 3 ? -E2BIG : -EBADMSG);
    }
}

// The file is cut off after it was opened: a short read, no SIGBUS.
static void test_cut_off_meanwhile(void **state)
{
    (void)state;
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    uint8_t image[1024] = {0}, id[20];
    size_t id_bytes;
    _cleanup_fd_ int fd = copy_of(image, make_image(image, 4));
    assert_int_equal(elf_file__open(fd, ELF_BY_LIBELF, &file), 0);
    assert_int_equal(ftruncate(fd, 70), 0);
    assert_int_equal(elf_file__build_id(file, id, &id_bytes), -ENOENT);
}

static void test_rows(void **state)
{
    (void)state;
    _cleanup_fd_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    _cleanup_(elf_file__freep) struct elf_file *file = NULL, *bounded = NULL;
    _cleanup_(elf_rows__release) struct elf_rows rows = {0};
    struct elf_data bytes;
    assert_int_equal(elf_file__open(fd, ELF_BY_LIBELF, &file), 0);
    assert_int_equal(elf_file__open(fd, ELF_BOUNDED, &bounded), 0);
    const struct elf_section *symtab = elf_file__find_type(file, SHT_SYMTAB);
    assert_int_equal(elf_file__read(bounded, elf_file__find_type(bounded, SHT_SYMTAB), &bytes), 0);
    assert_int_equal(elf_rows__open(file, symtab, 2, &rows), 0);
    assert_int_equal(rows.count, symtab->bytes / sizeof(Elf64_Sym) - 2);
    assert_memory_equal(elf_rows__bytes(&rows).bytes, bytes.bytes + 2 * sizeof(Elf64_Sym), rows.data->d_size);
    assert_int_equal(elf_rows__open(file, symtab, symtab->bytes, &rows), -EBADMSG);
    assert_int_equal(elf_rows__open(file, elf_file__find(file, ".text"), 0, &rows), -EOPNOTSUPP);
    assert_int_equal(elf_rows__open(bounded, symtab, 0, &rows), -EOPNOTSUPP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_itself),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_cut_off_meanwhile),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
