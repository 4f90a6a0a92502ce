#include "store/base/name_pattern.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

// Behind one item of a bracket expression: "a", "\]", "[:alpha:]".
static const char *behind_item(const char *at)
{
    if (at[0] == '[' && at[1] && strchr(":.=", at[1])) {
        const char close[] = {at[1], ']', '\0'}, *end = strstr(at + 2, close);
        if (end)
            return end + 2;
    }
    return at[0] == '\\' && at[1] ? at + 2 : at + 1;
}

// The bytes of one part of a pattern: "a", "?", "\*", "[a-c]". A `[` that nothing closes is itself, and so is a `\` at
// the end.
static size_t part_bytes(const char *text)
{
    if (text[0] == '\\' && text[1])
        return 2;
    if (text[0] != '[')
        return 1;
    const char *at = text + 1;
    at += *at == '!' || *at == '^';
    if (*at)
        at = behind_item(at); // a `]` here is one of the bytes
    while (*at && *at != ']')
        at = behind_item(at);
    return *at ? (size_t)(at - text) + 1 : 1;
}

// fnmatch() decides which bytes a part stands for.
static void add_part(struct name_pattern *pattern, const char *part, size_t bytes)
{
    char own[256], byte_text[2] = {0};
    bool is_literal = bytes == 1 && *part != '?';
    if (bytes >= sizeof(own)) // no bracket expression needs to be as long
        return;
    memcpy(own, part, bytes);
    own[bytes] = '\0';
    for (unsigned byte = 1; byte < 256; byte++) {
        byte_text[0] = (char)byte;
        if (is_literal ? *part == (char)byte : fnmatch(own, byte_text, 0) == 0)
            pattern->steps[byte] |= pattern->end;
    }
    pattern->end <<= 1;
}

static void add_star(struct name_pattern *pattern)
{
    for (unsigned byte = 1; byte < 256; byte++)
        pattern->steps[byte] |= pattern->end << 16;
}

int name_pattern__parse(const char *text, struct fault *fault, struct name_pattern *ret_pattern)
{
    struct name_pattern pattern = {.end = 1};
    bool has_star = false;
    unsigned parts = 0;
    for (const char *at = text; *at && (parts < NAME_PATTERN_BYTES || has_star);) {
        size_t bytes = part_bytes(at);
        if (*at == '*') {
            add_star(&pattern);
            has_star = true;
        } else if (parts++ < NAME_PATTERN_BYTES) {
            add_part(&pattern, at, bytes);
        }
        at += bytes;
    }
    if (parts > NAME_PATTERN_BYTES)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--comm '%s' matches no name: the kernel keeps %u bytes of a name, this asks for %u; "
                               "shorten what stands behind *",
                               text, NAME_PATTERN_BYTES, parts);
    pattern.steps[0] = 0xffffu << 16; // behind a name's end all states stay
    *ret_pattern = pattern;
    return 0;
}

bool name_pattern__matches(const struct name_pattern *pattern, const char *name)
{
    uint32_t states = 1;
    for (unsigned i = 0; i < NAME_PATTERN_BYTES && name[i]; i++) {
        uint32_t step = pattern->steps[(unsigned char)name[i]];
        states = (states & step & 0xffff) << 1 | (states & step >> 16);
    }
    return states & pattern->end;
}
