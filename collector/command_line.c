#include "collector/command_line.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

// No shell takes a word of these alone for more than one word, or for another one.
static bool is_plain(const char *word)
{
    return *word &&
           strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%") == strlen(word);
}

static void append_word(struct buf *line, const char *word)
{
    if (is_plain(word)) {
        buf__append_string(line, word);
        return;
    }
    buf__append_byte(line, '\'');
    for (; *word; word++)
        if (*word == '\'')
            buf__append_string(line, "'\\''");
        else
            buf__append_byte(line, (uint8_t)*word);
    buf__append_byte(line, '\'');
}

// /proc/self/cmdline: each word with its NUL.
static void read_words(struct buf *words)
{
    _cleanup_fd_ int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        buf__append_file(words, fd, SIZE_MAX);
    buf__append_byte(words, '\0');
}

void command_line__append(struct buf *line)
{
    _cleanup_(buf__release) struct buf words = {0};
    read_words(&words);
    buf__append_string(line, "hearth");
    const char *word = (const char *)words.data, *end = words.failed ? word : word + words.length_bytes - 1;
    if (word < end)
        word += strlen(word) + 1; // as the program was called
    for (; word < end; word += strlen(word) + 1) {
        if (line->length_bytes + strlen(word) > LIMIT_COMMAND_LINE_BYTES) {
            buf__append_string(line, " ...");
            break;
        }
        buf__append_byte(line, ' ');
        append_word(line, word);
    }
    buf__append_byte(line, '\0');
}

char **command_line__split(struct buf *words, int *ret_count)
{
    read_words(words);
    if (words->failed)
        return NULL;
    char *word = (char *)words->data, *end = word + words->length_bytes - 1;
    char **split = calloc(words->length_bytes + 1, sizeof(*split)); // no word is shorter than its NUL
    int count = 0;
    for (; split && word < end; word += strlen(word) + 1)
        split[count++] = word;
    *ret_count = count;
    return split;
}
