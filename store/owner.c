#include "store/owner.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

// docker, containerd, cri-o and podman make ids of 256 bits, and print the first 12 digits.
#define CONTAINER_ID_DIGITS 64
#define SHOWN_DIGITS        12

struct component {
    const char *text;
    size_t length;
};

// The next component of *path, which moves behind it; length 0 at the end.
static struct component next_component(const char **path)
{
    const char *begin = *path + strspn(*path, "/");
    size_t length = strcspn(begin, "/");
    *path = begin + length;
    return (struct component){begin, length};
}

static bool ends_with(struct component part, const char *end)
{
    size_t length = strlen(end);
    return part.length > length && memcmp(part.text + part.length - length, end, length) == 0;
}

static bool begins_with(struct component part, const char *begin)
{
    size_t length = strlen(begin);
    return part.length > length && memcmp(part.text, begin, length) == 0;
}

static struct component without_end(struct component part, const char *end)
{
    if (ends_with(part, end))
        part.length -= strlen(end);
    return part;
}

static struct component behind(struct component part, size_t bytes)
{
    return (struct component){part.text + bytes, part.length - bytes};
}

static void keep(struct component part, char *ret_text, size_t bytes)
{
    if (part.length >= bytes)
        return;
    memcpy(ret_text, part.text, part.length);
    ret_text[part.length] = '\0';
}

static bool is_unit_name(struct component part)
{
    static const char *const ends[] = {".service", ".scope", ".socket", ".mount", ".swap"}; // those that have processes
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends_with(part, ends[i]))
            return true;
    return false;
}

// The first component that is no slice. Where systemd did not make that group, it made none below. systemd puts an
// underscore before a name that the kernel has for a file of each group, such as "cpu.max".
static void find_unit(const char *path, char ret_unit[OWNER_UNIT_BYTES])
{
    struct component part;
    do
        part = next_component(&path);
    while (ends_with(part, ".slice"));
    if (part.length && part.text[0] == '_')
        part = behind(part, 1);
    if (is_unit_name(part))
        keep(part, ret_unit, OWNER_UNIT_BYTES);
}

// An id is 64 hex digits in a row. Of several in a path, the last one is that of the innermost container.
static void find_container_id(struct component part, char ret_container[OWNER_CONTAINER_BYTES])
{
    for (size_t i = 0, run = 0; i < part.length; i++) {
        run = isxdigit((unsigned char)part.text[i]) ? run + 1 : 0;
        if (run == CONTAINER_ID_DIGITS)
            keep((struct component){part.text + i + 1 - CONTAINER_ID_DIGITS, SHOWN_DIGITS}, ret_container,
                 OWNER_CONTAINER_BYTES);
    }
}

// systemd writes what is no letter, digit, ':', '_' or '.' of a name as \xNN.
static void unescape(char *text)
{
    char *out = text;
    for (unsigned byte; *text; out++)
        if (sscanf(text, "\\x%2x", &byte) == 1 && isxdigit((unsigned char)text[2]) &&
            isxdigit((unsigned char)text[3])) {
            *out = (char)byte;
            text += 4;
        } else {
            *out = *text++;
        }
    *out = '\0';
}

static void find_container(struct component part, char ret_container[OWNER_CONTAINER_BYTES])
{
    if (begins_with(part, "machine-") && ends_with(part, ".scope")) {
        keep(behind(without_end(part, ".scope"), strlen("machine-")), ret_container, OWNER_CONTAINER_BYTES);
        unescape(ret_container);
    }
    if (begins_with(part, "lxc.payload."))
        keep(behind(part, strlen("lxc.payload.")), ret_container, OWNER_CONTAINER_BYTES);
    find_container_id(part, ret_container);
}

// "pod<uid>", or "kubepods-burstable-pod<uid>.slice", in which '-' of the uid is '_'.
static void find_pod(struct component part, char ret_pod[OWNER_POD_BYTES])
{
    part = without_end(part, ".slice");
    if (begins_with(part, "kubepods-")) {
        part = behind(part, strlen("kubepods-"));
        if (begins_with(part, "burstable-"))
            part = behind(part, strlen("burstable-"));
        else if (begins_with(part, "besteffort-"))
            part = behind(part, strlen("besteffort-"));
    }
    if (!begins_with(part, "pod"))
        return;
    keep(behind(part, strlen("pod")), ret_pod, OWNER_POD_BYTES);
    for (char *at = ret_pod; (at = strchr(at, '_'));)
        *at = '-';
}

void owner__of(const char *cgroup, struct owner *ret_owner)
{
    *ret_owner = (struct owner){0};
    find_unit(cgroup, ret_owner->unit);
    bool is_of_kubelet = false;
    for (struct component part; (part = next_component(&cgroup)).length;) {
        is_of_kubelet |= part.length >= strlen("kubepods") && memcmp(part.text, "kubepods", strlen("kubepods")) == 0;
        if (is_of_kubelet && !*ret_owner->pod)
            find_pod(part, ret_owner->pod);
        find_container(part, ret_owner->container);
    }
}

static bool is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

bool owner__is_unit(const struct owner *owner, const char *pattern)
{
    char service[OWNER_UNIT_BYTES];
    bool is_whole = is_pattern(pattern) || is_unit_name((struct component){pattern, strlen(pattern)});
    if (!is_whole && (size_t)snprintf(service, sizeof(service), "%s.service", pattern) < sizeof(service))
        pattern = service;
    return fnmatch(pattern, owner->unit, 0) == 0;
}

static bool is_id(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdef");
    return digits && !text[digits];
}

bool owner__is_container(const struct owner *owner, const char *pattern)
{
    if (!*owner->container || fnmatch(pattern, owner->container, 0) == 0)
        return *owner->container;
    size_t known = strlen(owner->container), given = strlen(pattern);
    return known == SHOWN_DIGITS && is_id(owner->container) && is_id(pattern) &&
           strncmp(owner->container, pattern, given < known ? given : known) == 0;
}

bool owner__is_pod(const struct owner *owner, const char *pattern)
{
    return *owner->pod && fnmatch(pattern, owner->pod, 0) == 0;
}
