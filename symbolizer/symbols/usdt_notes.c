#include "symbolizer/symbols/usdt_notes.h"

#include <errno.h>
#include <string.h>

enum { NOTE_TYPE = 3, NOTE_WORDS = 3 }; // of systemtap's <sys/sdt.h>

// Moves *at behind the string there; NULL: it has no end.
static const char *take_string(const uint8_t **at, const uint8_t *end)
{
    const char *text = (const char *)*at;
    const uint8_t *nul = memchr(*at, 0, (size_t)(end - *at));
    if (!nul)
        return NULL;
    *at = nul + 1;
    return text;
}

// What a note says: three addresses (the probe, the link-time address of .stapsdt.base, the semaphore), three strings.
static int read_note(const uint8_t *at, const uint8_t *end, uint64_t base, struct usdt_note *ret_note)
{
    uint64_t words[NOTE_WORDS];
    if ((size_t)(end - at) < sizeof(words))
        return -EBADMSG;
    memcpy(words, at, sizeof(words));
    at += sizeof(words);
    uint64_t moved = base ? base - words[1] : 0;
    *ret_note = (struct usdt_note){.address = words[0] + moved, .semaphore = words[2] ? words[2] + moved : 0};
    ret_note->provider = take_string(&at, end);
    ret_note->name = ret_note->provider ? take_string(&at, end) : NULL;
    ret_note->arguments = ret_note->name ? take_string(&at, end) : NULL;
    return ret_note->arguments ? 0 : -EBADMSG;
}

int usdt_notes__each(struct elf_file *file, int (*row)(const struct usdt_note *note, void *context), void *context)
{
    const struct elf_section *section = elf_file__find(file, ".note.stapsdt");
    const struct elf_section *base = elf_file__find(file, ".stapsdt.base");
    struct elf_data data = {0};
    if (!section || !elf_file__is_64(file))
        return -ENOENT;
    int err = elf_file__read(file, section, &data);
    if (err)
        return err;
    const uint8_t *at = data.bytes, *end = data.bytes + data.length_bytes;
    while (!err && (size_t)(end - at) >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr head;
        memcpy(&head, at, sizeof(head));
        uint64_t name_bytes = (head.n_namesz + 3ull) & ~3ull, words_bytes = (head.n_descsz + 3ull) & ~3ull;
        const uint8_t *name = at + sizeof(head);
        if (name_bytes > (uint64_t)(end - name) || words_bytes > (uint64_t)(end - name) - name_bytes)
            return -EBADMSG;
        struct usdt_note note;
        if (head.n_type == NOTE_TYPE && head.n_namesz == sizeof("stapsdt") &&
            memcmp(name, "stapsdt", sizeof("stapsdt")) == 0 &&
            read_note(name + name_bytes, name + name_bytes + head.n_descsz, base ? base->address : 0, &note) == 0)
            err = row(&note, context);
        at = name + name_bytes + words_bytes;
    }
    return err;
}
