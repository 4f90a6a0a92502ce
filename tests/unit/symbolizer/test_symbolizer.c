// The whole symbolizer on files that are none, change or vanish, and on a kernel of its own. The files are made here
// from a sound one, this test itself.
#include "symbolizer/symbolizer.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/unit/symbolizer/named.h"

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
    assert_non_null(strstr(kernel_file, "named.h"));
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
        cmocka_unit_test_setup_teardown(what_is_no_elf_fails_once, start, stop),
        cmocka_unit_test_setup_teardown(devices_and_pipes_are_not_read, start, stop),
        cmocka_unit_test_setup_teardown(a_file_cut_while_it_is_read_is_damaged, start, stop),
        cmocka_unit_test(a_vmlinux_gives_lines_to_the_kernel),
        cmocka_unit_test_setup_teardown(a_dead_keeper_is_replaced, start, stop),
    };
    return cmocka_run_group_tests_name("symbolizer", tests, NULL, NULL);
}
