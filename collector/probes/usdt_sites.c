#include "collector/probes/usdt_sites.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "collector/probes/probe_file.h"
#include "store/base/buf.h"
#include "store/base/limits.h"
#include "symbolizer/symbols/usdt_notes.h"

struct search {
    const struct probe_file *file;
    const char *pattern;
    struct probe_sites *sites;
    size_t probe_count;
    struct buf known;    // the probes so far, "\n" around each
    char others[160];    // some that do not fit
    char misplaced[128]; // one that stands in no code of the file
};

static void remember_other(struct search *search, const char *words)
{
    size_t used = strlen(search->others);
    if (!strstr(search->others, words) && used + strlen(words) + 3 < sizeof(search->others))
        snprintf(search->others + used, sizeof(search->others) - used, "%s%s", used ? ", " : "", words);
}

static void count_probe(struct search *search, const char *words)
{
    char line[300];
    int length = snprintf(line, sizeof(line), "\n%s\n", words);
    if (search->known.data && memmem(search->known.data, search->known.length_bytes, line, (size_t)length))
        return;
    buf__append_string(&search->known, line);
    search->probe_count++;
}

// Semaphores stand in data; the kernel wants their place in the file, as it wants that of the code.
static uint64_t semaphore_place(const struct elf_file *file, uint64_t address)
{
    for (size_t i = 0; address && i < elf_file__segment_count(file); i++) {
        const struct elf_segment *segment = elf_file__segment(file, i);
        if (segment->type == PT_LOAD && (segment->flags & PF_W) && address >= segment->address &&
            address - segment->address < segment->file_bytes)
            return address - segment->address + segment->file_offset;
    }
    return 0;
}

static int add_site(struct probe_sites *sites, uint64_t place, uint64_t semaphore, const char *arguments)
{
    size_t known = sites->count;
    int err = probe_sites__add(sites, place, semaphore);
    if (err || sites->count == known)
        return err;
    sites->rows[known].arguments = strdup(arguments);
    return sites->rows[known].arguments ? 0 : -ENOMEM;
}

static int add_note(const struct usdt_note *note, void *context)
{
    struct search *search = context;
    char words[256];
    uint64_t place;
    int length = snprintf(words, sizeof(words), "%s:%s", note->provider, note->name);
    if (length >= (int)sizeof(words) || fnmatch(search->pattern, words, 0) != 0) {
        remember_other(search, words);
        return 0;
    }
    if (function_list__file_offset(search->file->elf, note->address, &place) != 0) {
        snprintf(search->misplaced, sizeof(search->misplaced), "%.120s", words);
        return 0;
    }
    count_probe(search, words);
    return add_site(search->sites, place, semaphore_place(search->file->elf, note->semaphore), note->arguments);
}

static int say(const struct search *search, int err, struct fault *fault)
{
    const char *path = search->file->path;
    if (err == -ENOENT)
        return fault__set(fault, err, "'%s' has no USDT probes (no .note.stapsdt in it)", path);
    if (err == -E2BIG)
        return fault__set_code(fault, EXIT_CODE_USAGE, err,
                               "'%s' fits USDT probes at more than %u places of '%s'; use a narrower pattern",
                               search->pattern, LIMIT_PROBE_SITES, path);
    if (err)
        return fault__set(fault, err, "cannot read the USDT probes of '%s': %s", path, strerror(-err));
    if (search->misplaced[0])
        return fault__set(fault, -EBADMSG, "the USDT probe %s of '%s' stands in none of its code", search->misplaced,
                          path);
    return fault__set(fault, -ENOENT, "'%s' has no USDT probe '%s'; it has %s", path, search->pattern, search->others);
}

int usdt_sites__find(const char *name, const char *pattern, uint32_t pid, struct fault *fault,
                     struct probe_sites **ret_sites, size_t *ret_probes)
{
    _cleanup_(probe_file__release) struct probe_file file = PROBE_FILE_NONE;
    _cleanup_(probe_sites__freep) struct probe_sites *sites = NULL;
    int err = probe_file__open(name, pid, fault, &file);
    if (!err)
        err = probe_sites__new(&file, pattern, fault, &sites);
    if (err)
        return err;
    struct search search = {.file = &file, .pattern = pattern, .sites = sites};
    err = usdt_notes__each(file.elf, add_note, &search);
    buf__release(&search.known);
    if (err || !sites->count)
        return say(&search, err, fault);
    *ret_probes = search.probe_count;
    *ret_sites = take_pointer(sites);
    return 0;
}
