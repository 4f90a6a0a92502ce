#include "collector/probes/probe_sites.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/probes/argument_hazard.h"
#include "collector/probes/chosen_function.h"
#include "collector/probes/probe_file.h"
#include "collector/programs/uprobe_multi.h"
#include "store/base/grow.h"
#include "store/base/limits.h"
#include "symbolizer/arch/instruction.h"
#include "symbolizer/symbols/function_list.h"

static unsigned count_colons(const char *text)
{
    unsigned count = 0;
    for (; (text = strchr(text, ':')); text++)
        count++;
    return count;
}

static size_t file_length(const char *text, uint32_t pid, unsigned colons)
{
    size_t first = strcspn(text, ":"), longest = first;
    if (!memchr(text, '/', first)) // a bare name
        return first;
    for (const char *at = strchr(text, ':'); at && count_colons(at + 1) >= colons; at = strchr(at + 1, ':')) {
        char path[PATH_MAX];
        size_t length = (size_t)(at - text);
        if (length < sizeof(path) && snprintf(path, sizeof(path), "%.*s", (int)length, text) > 0 &&
            probe_file__is_there(path, pid))
            longest = length;
    }
    return longest;
}

int probe__split(const char *text, uint32_t pid, unsigned colons, char ret_file[PATH_MAX], const char **ret_rest,
                 struct fault *fault)
{
    size_t length = file_length(text, pid, colons);
    if (!text[length] || length == 0 || length >= PATH_MAX || !text[length + 1])
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "'%s' names no probe; a FILE and what to probe in it are needed, as in libc:malloc",
                               text);
    memcpy(ret_file, text, length);
    ret_file[length] = '\0';
    *ret_rest = text + length + 1;
    return 0;
}

// Cuts "+OFFSET" off. The plus of "operator+" is followed by no number.
static uint64_t take_offset(char *symbol)
{
    char *plus = strrchr(symbol, '+'), *end;
    if (!plus || plus == symbol || plus[1] < '0' || plus[1] > '9')
        return 0;
    uint64_t offset = strtoull(plus + 1, &end, 0);
    if (*end)
        return 0;
    *plus = '\0';
    return offset;
}

static bool is_known(const struct probe_sites *sites, const struct probe_site *site)
{
    for (size_t i = 0; i < sites->count; i++)
        if (sites->rows[i].file_offset == site->file_offset)
            return true;
    return false;
}

static int add_site(struct probe_sites *sites, uint64_t file_offset, uint64_t semaphore, bool is_entry)
{
    struct probe_site site = {.file_offset = file_offset, .semaphore = semaphore};
    uint8_t code[64];
    ssize_t bytes = pread(sites->fd, code, sizeof(code), (off_t)file_offset);
    if (bytes <= 0)
        return bytes ? -errno : -EIO;
    size_t skipped = is_entry ? instruction__entry_skip(code, (size_t)bytes) : 0;
    site.file_offset += skipped;
    if (is_known(sites, &site))
        return 0;
    if (!instruction__is_probeable(code + skipped, (size_t)bytes - skipped)) {
        sites->unfit_count++;
        return 0;
    }
    if (sites->count == LIMIT_PROBE_SITES)
        return -E2BIG;
    if (RESIZE(sites->rows, sites->count + 1) != 0)
        return -ENOMEM;
    if ((size_t)bytes - skipped < sizeof(site.code)) // at the end of the file
        memcpy(site.code, code + skipped, (size_t)bytes - skipped);
    else
        memcpy(site.code, code + skipped, sizeof(site.code));
    sites->rows[sites->count++] = site;
    return 0;
}

int probe_sites__add(struct probe_sites *sites, uint64_t file_offset, uint64_t semaphore)
{
    return add_site(sites, file_offset, semaphore, false);
}

static int say_unfit(const struct probe_sites *sites, const char *symbol, struct fault *fault)
{
    return fault__set(fault, -EOPNOTSUPP,
                      "cannot put a probe on '%s' in '%s': the kernel cannot step over the AVX instruction there, "
                      "which it takes for another one",
                      symbol, sites->path);
}

static int find_address(struct probe_sites *sites, const struct probe_file *file, const char *text, struct fault *fault)
{
    char *end;
    uint64_t address = strtoull(text, &end, 16), offset;
    if (*end || function_list__file_offset(file->elf, address, &offset) != 0)
        return fault__set(fault, -ENOENT, "no code at %s in '%s'", text, file->path);
    int err = add_site(sites, offset, 0, false);
    if (err)
        return fault__set(fault, err, "cannot read the code at %s in '%s': %s", text, file->path, strerror(-err));
    return sites->count ? 0 : say_unfit(sites, text, fault);
}

static int say_missing(const struct function_list *list, const struct probe_file *file, const char *symbol,
                       struct fault *fault)
{
    if (list->is_stripped)
        return fault__set(fault, -ENOENT,
                          "no function '%s' in '%s', which is stripped; install its debug symbols, or probe "
                          "FILE:0xADDRESS",
                          symbol, file->path);
    return fault__set(fault, -ENOENT, "no function '%s' in '%s'; `hearth list probes 'uprobe:%s:*'` lists them", symbol,
                      file->path, file->path);
}

enum found { FOUND, FOUND_PAST_END, FOUND_AMID, FOUND_NOT_CHOSEN };

// Whether an instruction begins at that offset of a function: a breakpoint amid one would make another one of it. Of
// code that cannot be read as instructions it is believed.
static bool begins_instruction(const struct probe_file *file, const struct function *function, uint64_t offset)
{
    enum { MOST_BYTES = 64 << 10 };
    _cleanup_free_ uint8_t *code = offset < MOST_BYTES ? malloc(offset + INSTRUCTION_BYTES_MAX) : NULL;
    ssize_t bytes = code ? pread(file->fd, code, offset + INSTRUCTION_BYTES_MAX, (off_t)function->file_offset) : 0;
    size_t at = 0;
    while (at < offset && (ssize_t)at < bytes) {
        size_t more = instruction__bytes(code + at, (size_t)bytes - at);
        if (!more)
            return true;
        at += more;
    }
    return at <= offset || bytes <= 0;
}

// Where one function is probed.
static enum found find_place(const struct probe_file *file, const struct function *function, uint64_t offset,
                             uint64_t *ret_place)
{
    if (function->is_resolver)
        return chosen_function__find(file, function->name, ret_place) == 0 ? FOUND : FOUND_NOT_CHOSEN;
    if (offset && function->bytes && offset >= function->bytes)
        return FOUND_PAST_END;
    if (offset && !begins_instruction(file, function, offset))
        return FOUND_AMID;
    *ret_place = function->file_offset;
    return FOUND;
}

static int say_none(const struct probe_file *file, const char *symbol, uint64_t offset, enum found found,
                    struct fault *fault)
{
    if (found == FOUND_AMID)
        return fault__set(fault, -EINVAL,
                          "%s+0x%llx of '%s' is amid an instruction: a probe there would change what the program does",
                          symbol, (unsigned long long)offset, file->path);
    if (found == FOUND_PAST_END)
        return fault__set(fault, -ENOENT, "%s+0x%llx lies behind the end of that function of '%s'", symbol,
                          (unsigned long long)offset, file->path);
    return fault__set(fault, -ENOENT,
                      "'%s' in '%s' is chosen among several when a program is linked with it (IFUNC); probe the one "
                      "chosen: `hearth list probes 'uprobe:%s:*%s*'`",
                      symbol, file->path, file->path, symbol);
}

static int add_functions(struct probe_sites *sites, const struct function_list *list, const struct probe_file *file,
                         const char *symbol, uint64_t offset, struct fault *fault)
{
    enum found worst = FOUND;
    for (size_t i = 0; i < list->count; i++) {
        uint64_t place;
        enum found found = find_place(file, &list->rows[i], offset, &place);
        worst = found == FOUND ? worst : found;
        int err = found == FOUND ? add_site(sites, place + offset, 0, offset == 0) : 0;
        sites->chosen_count += found == FOUND && list->rows[i].is_resolver;
        if (!sites->argument_hazard)
            sites->argument_hazard = argument_hazard__of(list->rows[i].name, offset, sites->hazard);
        if (err == -E2BIG)
            return fault__set_code(fault, EXIT_CODE_USAGE, err,
                                   "'%s' fits more than %u functions of '%s'; use a narrower pattern", symbol,
                                   LIMIT_PROBE_SITES, file->path);
        if (err)
            return fault__set(fault, err, "cannot read the code of '%s' in '%s': %s", symbol, file->path,
                              strerror(-err));
    }
    if (sites->count)
        return 0;
    return sites->unfit_count ? say_unfit(sites, symbol, fault) : say_none(file, symbol, offset, worst, fault);
}

static int find_functions(struct probe_sites *sites, const struct probe_file *file, char *symbol, struct fault *fault)
{
    _cleanup_(function_list__release) struct function_list list = {0};
    uint64_t offset = take_offset(symbol);
    int err = probe_file__functions(file, symbol, &list);
    if (err)
        return fault__set(fault, err, "cannot read the symbols of '%s': %s", file->path, strerror(-err));
    if (!list.count)
        return say_missing(&list, file, symbol, fault);
    return add_functions(sites, &list, file, symbol, offset, fault);
}

int probe_sites__new(const struct probe_file *file, const char *name, struct fault *fault,
                     struct probe_sites **ret_sites)
{
    _cleanup_(probe_sites__freep) struct probe_sites *sites = calloc(1, sizeof(*sites));
    if (!sites)
        return fault__set(fault, -ENOMEM, "out of memory");
    sites->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    sites->place_fd = fcntl(file->place_fd, F_DUPFD_CLOEXEC, 0);
    sites->path = strdup(file->path);
    if (sites->fd < 0 || sites->place_fd < 0 || !sites->path)
        return fault__set(fault, -ENOMEM, "out of memory");
    snprintf(sites->name, sizeof(sites->name), "%s", name);
    sites->hazard = return_hazard__of(file->elf);
    *ret_sites = take_pointer(sites);
    return 0;
}

int probe_sites__find(const char *file_name, const char *symbol, uint32_t pid, struct fault *fault,
                      struct probe_sites **ret_sites)
{
    _cleanup_(probe_file__release) struct probe_file file = PROBE_FILE_NONE;
    _cleanup_(probe_sites__freep) struct probe_sites *sites = NULL;
    _cleanup_free_ char *name = strdup(symbol);
    int err = name ? probe_file__open(file_name, pid, fault, &file) : fault__set(fault, -ENOMEM, "out of memory");
    if (!err)
        err = probe_sites__new(&file, symbol, fault, &sites);
    if (err)
        return err;
    err = strncmp(name, "0x", 2) == 0 ? find_address(sites, &file, name, fault)
                                      : find_functions(sites, &file, name, fault);
    if (!err)
        *ret_sites = take_pointer(sites);
    return err;
}

void probe_sites__free(struct probe_sites *sites)
{
    if (!sites)
        return;
    fd__close(&sites->fd);
    fd__close(&sites->place_fd);
    for (size_t i = 0; i < sites->count; i++)
        free(sites->rows[i].arguments);
    free(sites->path);
    free(sites->rows);
    free(sites);
}

struct attachment {
    const struct bpf_program *program;
    bool at_return;
    int pid; // -1: of all processes
    struct loaded *loaded;
};

// Some of the places by one link.
static int attach_multi(const struct probe_sites *sites, const char *path, size_t first, size_t count,
                        const struct attachment *attachment)
{
    int fd;
    bool has_semaphores = false;
    _cleanup_free_ uint64_t *offsets = reallocarray(NULL, 3 * count, sizeof(*offsets));
    if (!offsets)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        offsets[i] = sites->rows[first + i].file_offset;
        offsets[count + i] = sites->rows[first + i].semaphore;
        offsets[2 * count + i] = sites->rows[first + i].cookie;
        has_semaphores = has_semaphores || offsets[count + i];
    }
    struct uprobe_places places = {.path = path,
                                   .file_offsets = offsets,
                                   .semaphores = has_semaphores ? offsets + count : NULL,
                                   .cookies = offsets + 2 * count,
                                   .count = count};
    int err = uprobe_multi__attach(attachment->program, &places, attachment->at_return, attachment->pid, &fd);
    return err ? err : loaded__keep_fd(attachment->loaded, fd);
}

static int attach_one(const struct probe_sites *sites, const char *path, size_t index,
                      const struct attachment *attachment)
{
    if (uprobe_multi__is_prepared(attachment->program))
        return attach_multi(sites, path, index, 1, attachment);
    LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = attachment->at_return,
                .ref_ctr_offset = sites->rows[index].semaphore, .bpf_cookie = sites->rows[index].cookie);
    struct bpf_link *link = bpf_program__attach_uprobe_opts(attachment->program, attachment->pid, path,
                                                            sites->rows[index].file_offset, &options);
    return link ? loaded__keep(attachment->loaded, link) : -errno;
}

// One link for all, where the kernel has such; when it refuses one place, that one is found by links of their own.
static int attach_in(const struct probe_sites *sites, const struct attachment *attachment, size_t *refused)
{
    char path[64]; // the file that was looked at, whatever its name means meanwhile
    int last = 0;
    size_t attached = 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", sites->place_fd);
    if (sites->count > 1 && uprobe_multi__is_prepared(attachment->program) &&
        attach_multi(sites, path, 0, sites->count, attachment) == 0)
        return 0;
    for (size_t i = 0; i < sites->count; i++) {
        int err = attach_one(sites, path, i, attachment);
        if (err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EPERM || err == -EACCES)
            return err;
        attached += err == 0;
        last = err ? err : last;
    }
    *refused = sites->count - attached;
    return attached ? 0 : last;
}

static int say_refused(const struct probe_sites *sites, int err, struct fault *fault)
{
    if (err == -ENOENT && access("/sys/bus/event_source/devices/uprobe/type", R_OK) != 0)
        return fault__set_code(fault, EXIT_CODE_LACKS, err,
                               "this kernel has no uprobes; one with CONFIG_UPROBE_EVENTS is needed");
    if (err == -EPERM || err == -EACCES)
        return fault__set_code(fault, EXIT_CODE_LACKS, err,
                               "cannot put a probe on '%s' in '%s': %s; run as root, or with CAP_PERFMON", sites->name,
                               sites->path, strerror(-err));
    if (err == -EOPNOTSUPP || err == -ENOTSUP || err == -524) // 524: the kernel's own ENOTSUPP
        return fault__set(fault, err,
                          "cannot put a probe on '%s' in '%s': the kernel cannot step over the instruction there",
                          sites->name, sites->path);
    return fault__set(fault, err, "cannot put a probe on '%s' in '%s': %s", sites->name, sites->path, strerror(-err));
}

static int check_return(const struct probe_sites *sites, struct fault *fault)
{
    if (sites->hazard == RETURN_GO)
        return fault__set(fault, -EOPNOTSUPP,
                          "cannot probe the return of '%s' in '%s': it is a Go program, which that would crash, as Go "
                          "moves its stacks; its entry can be probed: hearth record -e uprobe:...",
                          sites->name, sites->path);
    if (sites->hazard == RETURN_THROWS)
        fault__warn("'%s' in '%s': an exception thrown through a function whose return is probed ends the program",
                    sites->name, sites->path);
    return 0;
}

int probe_sites__attach(const struct probe_sites *sites, const struct bpf_program *program, bool at_return,
                        const struct target *target, struct loaded *loaded, struct fault *fault, size_t *ret_refused)
{
    struct attachment attachment = {.program = program, .at_return = at_return, .pid = -1, .loaded = loaded};
    *ret_refused = 0;
    int err = 0;
    if (at_return || uprobe_multi__is_session(program))
        err = check_return(sites, fault);
    if (err)
        return err;
    if (!target__is_processes(target))
        err = attach_in(sites, &attachment, ret_refused);
    for (size_t i = 0; target__is_processes(target) && i < target->process_count && !err; i++) {
        attachment.pid = (int)target->processes[i].pid;
        err = attach_in(sites, &attachment, ret_refused);
    }
    return err ? say_refused(sites, err, fault) : 0;
}
