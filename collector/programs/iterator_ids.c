#include "collector/programs/iterator_ids.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SECTION "iter/"

// libbpf does not read the kernel's types for a program that has another program as its target; take_id() removes this
// one again.
enum { SOME_TARGET = 1 };

static struct {
    const struct bpf_program *program;
    uint32_t id;
} given[ITERATOR_IDS_MAX];
static bool is_handled;

static uint32_t find(const struct bpf_program *program)
{
    for (size_t i = 0; i < ITERATOR_IDS_MAX; i++)
        if (given[i].program == program)
            return given[i].id;
    return 0;
}

static int take_id(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
    (void)cookie;
    int id = (int)find(program);
    if (!id)
        id = libbpf_find_vmlinux_btf_id(bpf_program__section_name(program) + strlen(SECTION), BPF_TRACE_ITER);
    if (id < 0)
        return id;
    options->attach_prog_fd = 0;
    options->attach_btf_id = (uint32_t)id;
    return 0;
}

// For bpf_program__attach().
static int attach(const struct bpf_program *program, long cookie, struct bpf_link **ret_link)
{
    (void)cookie;
    *ret_link = bpf_program__attach_iter(program, NULL);
    return *ret_link ? 0 : -errno;
}

void iterator_ids__begin(void)
{
    LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = take_id, .prog_attach_fn = attach);
    if (!is_handled)
        is_handled = libbpf_register_prog_handler(SECTION, BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, &options) >= 0;
}

int iterator_ids__name(const char *section, char *ret_name, uint32_t bytes)
{
    if (strncmp(section, SECTION, strlen(SECTION)) != 0)
        return -ENOENT;
    int length = snprintf(ret_name, bytes, "bpf_iter_%s", section + strlen(SECTION));
    return (uint32_t)length < bytes ? 0 : -ENOENT;
}

void iterator_ids__give(struct bpf_object *object, const uint32_t ids[ITERATOR_IDS_MAX])
{
    struct bpf_program *program;
    size_t count = 0;
    memset(given, 0, sizeof(given));
    bpf_object__for_each_program(program, object)
    {
        uint32_t id = count < ITERATOR_IDS_MAX ? ids[count] : 0;
        if (id && is_handled && bpf_program__set_attach_target(program, SOME_TARGET, NULL) == 0) {
            given[count].program = program;
            given[count].id = id;
        }
        count++;
    }
}
