// The whole symbolizer on files that want to harm it: each costs its own names, within its limits, and what comes after
// is named as ever. The files are made here from a sound one, this test itself.
#include "symbolizer/symbolizer.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/system/proc_maps.h"

static struct symbolizer *symbolizer;

static int start(void **state)
{
    (void)state;
    struct symbolizer_options options = {0};
    return symbolizer__new(&options, NULL, &symbolizer);
}

static int stop(void **state)
{
    (void)state;
    symbolizer__free(symbolizer);
    symbolizer = NULL;
    return 0;
}

struct answer {
    size_t calls;
    size_t length;
    char function[256];
};

static void take(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct answer *answer = context;
    answer->calls++;
    if (index != 0)
        return;
    answer->length = length;
    snprintf(answer->function, sizeof(answer->function), "%s",
             length > 0 && chain[length - 1].function ? chain[length - 1].function : "");
}

static int resolve(int fd, uint64_t offset, struct answer *ret_answer)
{
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = "/nowhere/file"};
    *ret_answer = (struct answer){0};
    return symbolizer__resolve_file(symbolizer, &file, &offset, 1, take, ret_answer);
}

struct place {
    uint64_t address, offset;
};

static int find_place(const struct proc_mapping *mapping, void *context)
{
    struct place *place = context;
    if (place->address >= mapping->start && place->address < mapping->end)
        place->offset = place->address - mapping->start + mapping->file_offset;
    return 0;
}

// The offset of a function of ours in our own file.
static uint64_t own_offset(const void *function)
{
    struct place place = {.address = (uint64_t)(uintptr_t)function};
    assert_int_equal(proc_maps__each(getpid(), find_place, &place), 0);
    return place.offset;
}

static void names_itself(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct answer answer;
    assert_int_equal(resolve(fd, own_offset((const void *)resolve) + 4, &answer), 0);
    assert_string_equal(answer.function, "resolve");
    close(fd);
}

static void names_a_sound_file(void **state)
{
    (void)state;
    names_itself();
}

// However many processes have mapped it, under whatever name: a build id is read once, and so is a file without one.
static void a_file_is_read_once(void **state)
{
    (void)state;
    int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = memfd_create("copy", MFD_CLOEXEC);
    uint64_t offset = own_offset((const void *)resolve) + 4;
    struct stat status;
    assert_int_equal(fstat(own, &status), 0);
    assert_int_equal(sendfile(copy, own, NULL, (size_t)status.st_size), status.st_size);
    struct symbol_file known = {.fd = own};
    symbolizer__identify(&known);
    if (!known.identity.build_id_bytes)
        skip();                // a linker that gives no build id
    known.identity.digest = 0; // not known: read from each file
    for (int turn = 0; turn < 4; turn++) {
        int fd = turn % 2 ? fcntl(copy, F_DUPFD_CLOEXEC, 0) : open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        struct symbol_file file = {
            .fd = fd, .root_fd = -1, .path = turn % 2 ? "/one/place" : "/another", .identity = known.identity};
        struct answer answer = {0};
        assert_int_equal(symbolizer__resolve_file(symbolizer, &file, &offset, 1, take, &answer), 0);
        assert_string_equal(answer.function, "resolve");
        assert_int_equal(symbolizer__counts(symbolizer).jobs, 1);
        close(fd);
    }
    for (int turn = 0; turn < 3; turn++) { // by device and inode
        struct answer answer;
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        assert_int_equal(resolve(fd, offset, &answer), 0);
        assert_string_equal(answer.function, "resolve");
        assert_int_equal(symbolizer__counts(symbolizer).jobs, 2);
        close(fd);
    }
    close(own);
    close(copy);
}

static int file_of(const struct buf *bytes)
{
    int fd = memfd_create("hostile", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes->data, bytes->length_bytes), bytes->length_bytes);
    return fd;
}

// An ELF file with code at 0x1000 of file and memory, and the DWARF given.
static void wrap(const char *const names[], const struct buf *sections, size_t count, struct buf *out)
{
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_phoff = sizeof(header),
                         .e_phnum = 1,
                         .e_shnum = (Elf64_Half)(count + 3),
                         .e_shstrndx = (Elf64_Half)(count + 2)};
    Elf64_Phdr code = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000, .p_vaddr = 0x1000};
    Elf64_Shdr rows[16] = {{0}, {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR}};
    struct buf strings = {0};
    code.p_filesz = code.p_memsz = rows[1].sh_size = 0x1000;
    rows[1].sh_addr = rows[1].sh_offset = 0x1000;
    buf__append(&strings, "\0.text", 7);
    buf__append(out, &header, sizeof(header));
    buf__append(out, &code, sizeof(code));
    while (out->length_bytes < 0x2000)
        buf__append_byte(out, 0xcc);
    for (size_t i = 0; i < count; i++) {
        rows[i + 2] = (Elf64_Shdr){.sh_name = (Elf64_Word)strings.length_bytes,
                                   .sh_type = SHT_PROGBITS,
                                   .sh_offset = out->length_bytes,
                                   .sh_size = sections[i].length_bytes};
        if (strcmp(names[i], ".debug_str") == 0 && sections[i].length_bytes > sizeof(Elf64_Chdr) &&
            ((const Elf64_Chdr *)sections[i].data)->ch_type == ELFCOMPRESS_ZLIB)
            rows[i + 2].sh_flags = SHF_COMPRESSED;
        buf__append(&strings, names[i], strlen(names[i]) + 1);
        buf__append(out, sections[i].data, sections[i].length_bytes);
    }
    rows[count + 2] =
        (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = out->length_bytes, .sh_size = strings.length_bytes};
    buf__append(out, strings.data, strings.length_bytes);
    while (out->length_bytes % 8)
        buf__append_byte(out, 0);
    header.e_shoff = out->length_bytes;
    header.e_ehsize = sizeof(header);
    header.e_phentsize = sizeof(code);
    header.e_shentsize = sizeof(*rows);
    buf__append(out, rows, (count + 3) * sizeof(*rows));
    memcpy(out->data, &header, sizeof(header));
    buf__release(&strings);
}

static void append_fixed(struct buf *buf, uint64_t value, size_t bytes)
{
    buf__append(buf, &value, bytes);
}

// Abbreviations: 1 the unit (low, high), 2 a function (low, length, name, sibling), 3 a function by reference, 4 a
// block.
static void make_abbrevs(struct buf *abbrevs)
{
    static const uint8_t bytes[] = {1,
                                    DW_TAG_compile_unit,
                                    1,
                                    DW_AT_low_pc,
                                    DW_FORM_addr,
                                    DW_AT_high_pc,
                                    DW_FORM_data4,
                                    0,
                                    0,
                                    2,
                                    DW_TAG_subprogram,
                                    1,
                                    DW_AT_low_pc,
                                    DW_FORM_addr,
                                    DW_AT_high_pc,
                                    DW_FORM_data4,
                                    DW_AT_name,
                                    DW_FORM_string,
                                    DW_AT_sibling,
                                    DW_FORM_ref4,
                                    0,
                                    0,
                                    3,
                                    DW_TAG_subprogram,
                                    0,
                                    DW_AT_low_pc,
                                    DW_FORM_addr,
                                    DW_AT_high_pc,
                                    DW_FORM_data4,
                                    DW_AT_abstract_origin,
                                    DW_FORM_ref4,
                                    0,
                                    0,
                                    4,
                                    DW_TAG_lexical_block,
                                    1,
                                    0,
                                    0,
                                    0};
    buf__append(abbrevs, bytes, sizeof(bytes));
}

static void begin_unit(struct buf *info)
{
    append_fixed(info, 0, 4); // length, filled in by end_unit
    append_fixed(info, 4, 2);
    append_fixed(info, 0, 4);
    append_fixed(info, 8, 1);
    append_fixed(info, 1, 1);
    append_fixed(info, 0x1000, 8);
    append_fixed(info, 0x1000, 4);
}

static void end_unit(struct buf *info)
{
    uint32_t length = (uint32_t)info->length_bytes - 4;
    memcpy(info->data, &length, sizeof(length));
}

static int resolve_dwarf(struct buf *info, struct answer *ret_answer)
{
    static const char *const names[] = {".debug_info", ".debug_abbrev"};
    struct buf sections[2] = {*info, {0}}, file = {0};
    make_abbrevs(&sections[1]);
    wrap(names, sections, 2, &file);
    int fd = file_of(&file), err = resolve(fd, 0x1004, ret_answer);
    close(fd);
    buf__release(&file);
    buf__release(&sections[1]);
    return err;
}

static void a_sibling_loop_ends(void **state)
{
    (void)state;
    struct buf info = {0};
    struct answer answer;
    begin_unit(&info);
    uint32_t place = (uint32_t)info.length_bytes;
    append_fixed(&info, 2, 1);
    append_fixed(&info, 0x1000, 8);
    append_fixed(&info, 0x10, 4);
    buf__append(&info, "looped", 7);
    append_fixed(&info, place, 4); // its own sibling
    append_fixed(&info, 0, 2);
    end_unit(&info);
    assert_int_equal(resolve_dwarf(&info, &answer), 0);
    assert_string_equal(answer.function, "looped"); // what is sound of it counts
    buf__release(&info);
}

static void a_cycle_of_references_ends(void **state)
{
    (void)state;
    struct buf info = {0};
    struct answer answer;
    begin_unit(&info);
    uint32_t first = (uint32_t)info.length_bytes, second = first + 17;
    for (int i = 0; i < 2; i++) {
        append_fixed(&info, 3, 1);
        append_fixed(&info, 0x1000 + (uint64_t)i * 16, 8);
        append_fixed(&info, 0x10, 4);
        append_fixed(&info, i == 0 ? second : first, 4);
    }
    append_fixed(&info, 0, 1);
    end_unit(&info);
    assert_int_equal(resolve_dwarf(&info, &answer), 0);
    assert_string_equal(answer.function, "");
    buf__release(&info);
}

static void endless_depth_ends(void **state)
{
    (void)state;
    struct buf info = {0};
    struct answer answer;
    begin_unit(&info);
    for (int i = 0; i < 1 << 20; i++)
        append_fixed(&info, 4, 1);
    end_unit(&info);
    assert_int_equal(resolve_dwarf(&info, &answer), 0);
    assert_int_equal(answer.calls, 1);
    buf__release(&info);
}

// A section that says it unpacks to far more than it can, or to more than a worker may have.
static void bombs_are_not_unpacked(void **state)
{
    (void)state;
    static const uint64_t claims[] = {1ull << 40, 900ull << 20, UINT64_MAX};
    static const char *const names[] = {".debug_info", ".debug_abbrev", ".debug_str"};
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        struct buf sections[3] = {0}, file = {0};
        struct answer answer;
        Elf64_Chdr bomb = {.ch_type = ELFCOMPRESS_ZLIB, .ch_size = claims[i], .ch_addralign = 1};
        begin_unit(&sections[0]);
        append_fixed(&sections[0], 0, 1);
        end_unit(&sections[0]);
        make_abbrevs(&sections[1]);
        buf__append(&sections[2], &bomb, sizeof(bomb));
        for (int j = 0; j < 1000; j++)
            append_fixed(&sections[2], 0, 8);
        wrap(names, sections, 3, &file);
        int fd = file_of(&file);
        assert_int_equal(resolve(fd, 0x1004, &answer), 0);
        assert_true(symbolizer__counts(symbolizer).worker_peak_bytes < 64u << 20);
        close(fd);
        buf__release(&file);
        for (int j = 0; j < 3; j++)
            buf__release(&sections[j]);
    }
    names_itself();
}

static void huge_counts_are_bounded(void **state)
{
    (void)state;
    struct buf file = {0};
    struct answer answer;
    wrap(NULL, NULL, 0, &file);
    Elf64_Ehdr *header = (Elf64_Ehdr *)file.data;
    header->e_shnum = 0; // section 0 says how many: as many as it likes
    ((Elf64_Shdr *)(file.data + header->e_shoff))->sh_size = UINT64_MAX / 64;
    int fd = file_of(&file);
    assert_int_equal(resolve(fd, 0x1004, &answer), 0);
    assert_int_equal(answer.length, 0);
    close(fd);
    header->e_phnum = 0xfffe;
    header->e_phoff = file.length_bytes - 8;
    fd = file_of(&file);
    assert_true(resolve(fd, 0x1004, &answer) < 0);
    assert_int_equal(answer.calls, 1); // each offset is answered for, also by a failure
    close(fd);
    buf__release(&file);
    names_itself();
}

static void what_is_no_elf_fails_once(void **state)
{
    (void)state;
    struct buf text = {0};
    struct answer answer;
    buf__append_string(&text, "#!/bin/sh\n");
    int fd = file_of(&text);
    assert_int_equal(resolve(fd, 0, &answer), -EBADMSG);
    uint64_t jobs = symbolizer__counts(symbolizer).jobs;
    assert_int_equal(resolve(fd, 0, &answer), -EBADMSG);
    assert_int_equal(symbolizer__counts(symbolizer).jobs, jobs); // remembered
    assert_int_equal(symbolizer__counts(symbolizer).failed, 1);
    assert_int_equal(write(fd, "more", 4), 4);
    assert_int_equal(resolve(fd, 0, &answer), -EBADMSG);
    assert_int_equal(symbolizer__counts(symbolizer).jobs, jobs + 1); // it has changed
    close(fd);
    buf__release(&text);
}

static void devices_and_pipes_are_not_read(void **state)
{
    (void)state;
    struct answer answer;
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(resolve(pipes[0], 0, &answer), -EBADMSG); // at once, though nothing will ever come
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_int_equal(resolve(zero, 0, &answer), -EBADMSG);
    close(pipes[0]);
    close(pipes[1]);
    close(zero);
}

static void a_file_cut_while_it_is_read_is_damaged(void **state)
{
    (void)state;
    int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), fd = memfd_create("cut", MFD_CLOEXEC);
    struct stat status;
    struct answer answer;
    assert_int_equal(fstat(own, &status), 0);
    for (off_t done = 0; done < status.st_size;)
        assert_true(sendfile(fd, own, &done, (size_t)(status.st_size - done)) > 0);
    // Headers that promise more than is there: what a file that shrinks looks like to its reader.
    for (off_t length = status.st_size; length > 0; length /= 2) {
        assert_int_equal(ftruncate(fd, length), 0);
        resolve(fd, 0x2000, &answer);
        assert_int_equal(answer.calls, 1);
    }
    close(own);
    close(fd);
    names_itself();
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void remove_tree(const char *root)
{
    assert_int_equal(nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void write_file(const char *root, const char *path, const void *bytes, size_t length)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static struct symbol kernel_frame; // of the last answer
static char kernel_file[256];

static void take_kernel(size_t index, const struct symbol *chain, size_t length, void *context)
{
    (void)index, (void)context;
    kernel_frame = (struct symbol){0};
    if (length == 0)
        return;
    snprintf(kernel_file, sizeof(kernel_file), "%s %s", chain[length - 1].function, chain[length - 1].file);
    kernel_frame.line = chain[length - 1].line;
}

// A machine whose kernel is this test: kallsyms, notes, and a vmlinux that was moved by KASLR.
static void a_vmlinux_gives_lines_to_the_kernel(void **state)
{
    (void)state;
    struct utsname name;
    char root[] = "/tmp/hearth-test.XXXXXX", path[256], text[256];
    int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    uint8_t note[16 + 20] = {4, 0, 0, 0, 20, 0, 0, 0, NT_GNU_BUILD_ID, 0, 0, 0, 'G', 'N', 'U', 0};
    struct symbol_file known = {.fd = own};
    assert_non_null(mkdtemp(root));
    assert_int_equal(uname(&name), 0);
    symbolizer__identify(&known);
    if (known.identity.build_id_bytes != 20)
        skip(); // a linker that gives no build id
    memcpy(note + 16, known.identity.build_id, 20);
    assert_int_equal(fstat(own, &status), 0);
    void *image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, own, 0);
    snprintf(path, sizeof(path), "/usr/lib/debug/boot/vmlinux-%s", name.release);
    write_file(root, path, image, (size_t)status.st_size);
    const Elf64_Ehdr *header = image;
    const Elf64_Phdr *segment = (const Elf64_Phdr *)((const char *)image + header->e_phoff);
    while (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
        segment++;
    uint64_t start = 0xffffffff92000000, offset = own_offset((const void *)resolve) - segment->p_offset;
    write_file(root, "/sys/kernel/notes", note, sizeof(note));
    snprintf(text, sizeof(text), "%lx T _text\n%lx t named_by_kallsyms\n", start, start + offset);
    write_file(root, "/proc/kallsyms", text, strlen(text));
    write_file(root, "/proc/sys/kernel/osrelease", name.release, strlen(name.release));

    struct symbolizer_options options = {.kernel_root = root};
    uint64_t address = start + offset + 4;
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(symbolizer__resolve_kernel(symbolizer, &address, 1, take_kernel, NULL, NULL), 0);
    assert_int_equal(strncmp(kernel_file, "resolve ", 8), 0);
    assert_non_null(strstr(kernel_file, "test_symbolizer.c"));
    assert_true(kernel_frame.line > 0);
    stop(NULL);

    note[16] ^= 1; // another kernel runs: its vmlinux is not here
    write_file(root, "/sys/kernel/notes", note, sizeof(note));
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(symbolizer__resolve_kernel(symbolizer, &address, 1, take_kernel, NULL, NULL), 0);
    assert_string_equal(kernel_file, "named_by_kallsyms ");
    stop(NULL);
    munmap(image, (size_t)status.st_size);
    close(own);
    remove_tree(root);
}

// The keeper of workers may die (the kernel's OOM killer, say): the next file is named by a new one.
static void a_dead_keeper_is_replaced(void **state)
{
    (void)state;
    names_itself();
    char path[64];
    int pid = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    FILE *children = fopen(path, "re");
    assert_int_equal(fscanf(children, "%d", &pid), 1);
    fclose(children);
    assert_int_equal(kill(pid, SIGKILL), 0);
    stop(NULL);
    start(NULL);
    names_itself();
    children = fopen(path, "re");
    assert_int_equal(fscanf(children, "%d", &pid), 1);
    fclose(children);
    assert_int_equal(kill(pid, SIGKILL), 0);
    struct buf bytes = {0};
    struct answer answer;
    wrap(NULL, NULL, 0, &bytes);
    int fd = file_of(&bytes);
    assert_int_equal(resolve(fd, 0x1004, &answer), 0); // in the same symbolizer, a file it has not seen
    assert_int_equal(answer.calls, 1);
    close(fd);
    buf__release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_a_sound_file, start, stop),
        cmocka_unit_test_setup_teardown(a_file_is_read_once, start, stop),
        cmocka_unit_test_setup_teardown(a_sibling_loop_ends, start, stop),
        cmocka_unit_test_setup_teardown(a_cycle_of_references_ends, start, stop),
        cmocka_unit_test_setup_teardown(endless_depth_ends, start, stop),
        cmocka_unit_test_setup_teardown(bombs_are_not_unpacked, start, stop),
        cmocka_unit_test_setup_teardown(huge_counts_are_bounded, start, stop),
        cmocka_unit_test_setup_teardown(what_is_no_elf_fails_once, start, stop),
        cmocka_unit_test_setup_teardown(devices_and_pipes_are_not_read, start, stop),
        cmocka_unit_test_setup_teardown(a_file_cut_while_it_is_read_is_damaged, start, stop),
        cmocka_unit_test(a_vmlinux_gives_lines_to_the_kernel),
        cmocka_unit_test_setup_teardown(a_dead_keeper_is_replaced, start, stop),
    };
    return cmocka_run_group_tests_name("symbolizer", tests, NULL, NULL);
}
