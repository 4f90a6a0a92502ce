// The text of `perf script`: a line for each sample, a line for each of its frames, leaf first, and an empty line.
//
//   Web Content 812/813 [001] 74025.125397:    1001001 cpu-clock:
//   	ffffffff8225a6c1 do_syscall_64+0x71 ([kernel.kallsyms])
//   	          1ab73 copy_line (inlined)
//   	          1ab73 main+0x3 (/usr/bin/program)
//     program.c:12
//
// The source line is that of -F +srcline. Each sample counts once, each event by its own name.
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/imports/import.h"
#include "store/base/file_name.h"
#include "store/base/limits.h"

struct head {
    const char *comm;
    uint32_t pid, tid;
    uint64_t time_ns;
    const char *event;
    char *rest; // behind the event: a frame, or what a tracepoint says
};

struct script {
    struct foreign *foreign;
    bool in_sample;
    uint32_t event, thread;
    uint32_t frames[LIMIT_STORE_STACK_FRAMES]; // leaf first
    size_t depth;
    struct store_line chain[LIMIT_CHAIN]; // of the frame at hand
    size_t chain_length;
    struct foreign_frame frame; // at hand, where has_frame
    bool has_frame, is_too_deep;
    uint64_t first_ns, last_ns;
    uint64_t lines, bad_line;
};

// "812", "812/813"
static bool parse_ids(const char *word, struct head *head)
{
    char *end;
    if (!isdigit((unsigned char)*word))
        return false;
    head->pid = head->tid = (uint32_t)strtoul(word, &end, 10);
    if (*end == '/' && isdigit((unsigned char)end[1]))
        head->tid = (uint32_t)strtoul(end + 1, &end, 10);
    return *end == ' ' || *end == '\t';
}

static char *next_word(char *at)
{
    at += strcspn(at, " \t");
    return at + strspn(at, " \t");
}

// "74025.125397:", in seconds.
static bool parse_time(const char *word, uint64_t *ret_ns)
{
    char *end;
    uint64_t seconds = strtoull(word, &end, 10), ns = 0, unit = 100000000;
    if (end == word || *end != '.')
        return false;
    for (end++; isdigit((unsigned char)*end); end++, unit /= 10)
        ns += unit * (uint64_t)(*end - '0');
    *ret_ns = seconds * 1000000000u + ns;
    return *end == ':';
}

// The event, whose name may have colons in it, ends with one before a blank, or before the end.
static bool parse_event(char *word, struct head *head)
{
    if (isdigit((unsigned char)*word)) // the period
        word = next_word(word);
    size_t length = strcspn(word, " \t");
    if (length < 2 || word[length - 1] != ':')
        return false;
    head->event = word;
    head->rest = word[length] ? word + length + 1 : word + length;
    word[length - 1] = '\0';
    return true;
}

// Changes the line only where it is the head of a sample.
static bool parse_head(char *line, struct head *head)
{
    if (isspace((unsigned char)*line) && strspn(line, " \t") > 15)
        return false;
    head->comm = line + strspn(line, " ");
    for (char *word = next_word((char *)head->comm); *word; word = next_word(word)) {
        char *after = parse_ids(word, head) ? next_word(word) : word;
        if (*after == '[')
            after = next_word(after);
        if (after == word || !parse_time(after, &head->time_ns) || !parse_event(next_word(after), head))
            continue;
        while (word > head->comm && isspace((unsigned char)word[-1]))
            word--;
        *word = '\0';
        return true;
    }
    return false;
}

static enum store_binary_kind kind_of(const char *path)
{
    const char *base = file_name__of(path);
    if (strcmp(path, "[vdso]") == 0)
        return STORE_BINARY_VDSO;
    if (strncmp(base, "perf-", 5) == 0 || strncmp(base, "jitted-", 7) == 0 || strncmp(path, "[JIT]", 5) == 0)
        return STORE_BINARY_JIT;
    return *path == '[' ? STORE_BINARY_KERNEL : STORE_BINARY_ELF;
}

static void end_frame(struct script *script)
{
    if (!script->has_frame)
        return;
    script->has_frame = false;
    script->frame.chain = script->chain;
    script->frame.chain_length = script->chain_length;
    script->chain_length = 0;
    if (script->depth < LIMIT_STORE_STACK_FRAMES)
        script->frames[script->depth++] = foreign__frame(script->foreign, &script->frame);
    else
        script->is_too_deep = true;
}

static void end_sample(struct script *script)
{
    end_frame(script);
    if (!script->in_sample)
        return;
    for (size_t i = 0; i < script->depth / 2; i++) {
        uint32_t leaf = script->frames[i];
        script->frames[i] = script->frames[script->depth - 1 - i];
        script->frames[script->depth - 1 - i] = leaf;
    }
    uint32_t node = foreign__stack(script->foreign, script->frames, script->depth);
    foreign__add(
        script->foreign,
        &(struct store_value){.event = script->event, .thread = script->thread, .node = node, .count = 1, .value = 1});
    script->in_sample = false;
    script->depth = script->chain_length = 0;
}

// "main+0x3 (/usr/bin/program)": cuts off the folder, the parentheses and the offset in the function.
static bool cut_frame(char *text, char **ret_path)
{
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    if (!length || text[length - 1] != ')')
        return false;
    text[length - 1] = '\0';
    char *open = NULL;
    for (char *at = text; (at = strstr(at, " (")); at++)
        open = at;
    if (!open)
        return false;
    *open = '\0';
    *ret_path = open + 2;
    char *plus = strrchr(text, '+');
    if (plus && strncmp(plus, "+0x", 3) == 0)
        *plus = '\0';
    return true;
}

static bool parse_frame(struct script *script, char *line)
{
    char *end, *path;
    uint64_t address = strtoull(line, &end, 16);
    if (end == line || *end != ' ' || !cut_frame(end + 1, &path))
        return false;
    const char *function = end + 1;
    end_frame(script);
    if (script->chain_length < LIMIT_CHAIN && strcmp(function, "[unknown]") != 0)
        script->chain[script->chain_length++] = (struct store_line){.function = function, .file = ""};
    if (strcmp(path, "inlined") == 0) // into the next one
        return true;
    script->has_frame = true;
    script->frame = (struct foreign_frame){.kind = kind_of(path), .path = path, .has_offset = true, .offset = address};
    if (strcmp(path, "[unknown]") == 0)
        script->frame = (struct foreign_frame){
            .kind = script->chain_length ? STORE_BINARY_ELF : STORE_BINARY_MARK, .path = path, .has_offset = true};
    return true;
}

// "program.c:12", of the frame above it.
static void parse_source(struct script *script, char *text)
{
    char *colon = strrchr(text, ':'), *end = NULL;
    unsigned long line = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!script->chain_length || colon == text || !end || end == colon + 1 || *end || line > INT32_MAX)
        return;
    *colon = '\0';
    script->chain[script->chain_length - 1].file = text;
    script->chain[script->chain_length - 1].line = (uint32_t)line;
}

static void begin_sample(struct script *script, const struct head *head)
{
    end_sample(script);
    script->in_sample = true;
    script->event =
        foreign__event(script->foreign, &(struct store_event){.name = head->event, .unit = "samples", .detail = ""});
    script->thread = foreign__thread(script->foreign, head->pid, head->tid, head->comm);
    if (!script->first_ns || head->time_ns < script->first_ns)
        script->first_ns = head->time_ns;
    if (head->time_ns > script->last_ns)
        script->last_ns = head->time_ns;
    char *rest = head->rest + strspn(head->rest, " \t");
    if (*rest)
        parse_frame(script, rest); // without call chains, perf puts the one frame here
}

static void take_line(struct script *script, char *line)
{
    struct head head;
    size_t blanks = strspn(line, " \t");
    script->lines++;
    if (!line[blanks])
        end_sample(script);
    else if (*line == '#')
        return;
    else if (script->in_sample && blanks && parse_frame(script, line + blanks))
        return;
    else if (parse_head(line, &head))
        begin_sample(script, &head);
    else if (script->in_sample && blanks)
        parse_source(script, line + blanks);
    else if (!script->bad_line)
        script->bad_line = script->lines;
}

static int read_script(struct import_file *file, struct foreign *foreign, struct fault *fault)
{
    _cleanup_free_ struct script *script = calloc(1, sizeof(*script));
    if (!script)
        return -ENOMEM;
    script->foreign = foreign;
    for (char *rest = file->bytes, *line; (line = strsep(&rest, "\n")) && !foreign__error(foreign);)
        take_line(script, line);
    end_sample(script);
    uint64_t took_ns = script->last_ns - script->first_ns;
    foreign__set_time(foreign, file->changed_ns - took_ns, took_ns);
    if (script->bad_line)
        return fault__set(fault, -EBADMSG, "cannot read '%s' as the text of perf script: line %" PRIu64, file->path,
                          script->bad_line);
    return script->is_too_deep ? fault__set(fault, -EBADMSG, "cannot read '%s': a stack has more than %u frames",
                                            file->path, LIMIT_STORE_STACK_FRAMES)
                               : 0;
}

// The first line that is no comment.
static bool knows_script(const struct import_file *file)
{
    struct head head;
    const char *line = file->bytes;
    while (*line == '#' || *line == '\n') {
        line = strchrnul(line, '\n');
        line += *line == '\n';
    }
    _cleanup_free_ char *copy = strndup(line, strcspn(line, "\n"));
    return copy && parse_head(copy, &head);
}

const struct import import_perf_script = {.name = "perf script's text", .knows = knows_script, .read = read_script};
