#include "report/imports/pprof_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/pprof_fields.h"
#include "report/text/protobuf_reader.h"
#include "store/base/grow.h"

void pprof_tables__release(struct pprof_tables *tables)
{
    for (size_t i = 0; i < tables->string_count; i++)
        free(tables->strings[i]);
    free(tables->strings);
    free(tables->functions);
    free(tables->mappings);
}

const char *pprof_tables__text(const struct pprof_tables *tables, uint64_t string)
{
    return string < tables->string_count ? tables->strings[string] : "";
}

bool pprof_tables__text_is(const struct pprof_tables *tables, uint64_t string, const char *word)
{
    return strcmp(pprof_tables__text(tables, string), word) == 0;
}

int pprof_tables__by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static int add_string(struct pprof_tables *tables, const struct byte_reader *bytes)
{
    int err = GROW(tables->strings, tables->string_capacity, tables->string_count + 1);
    char *copy = err ? NULL : strndup((const char *)bytes->at, byte_reader__left(bytes));
    if (!copy)
        return -ENOMEM;
    tables->strings[tables->string_count++] = copy;
    return 0;
}

static int add_function(struct pprof_tables *tables, const struct byte_reader *bytes)
{
    struct pprof_function function = {0};
    uint64_t system_name = 0;
    const struct protobuf_wanted wanted[] = {{FUNCTION_ID, &function.id},
                                             {FUNCTION_NAME, &function.name},
                                             {FUNCTION_SYSTEM_NAME, &system_name},
                                             {FUNCTION_FILE, &function.file}};
    protobuf__read_numbers(*bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    if (!function.name)
        function.name = system_name;
    int err = GROW(tables->functions, tables->function_capacity, tables->function_count + 1);
    if (!err)
        tables->functions[tables->function_count++] = function;
    return err;
}

static int add_mapping(struct pprof_tables *tables, const struct byte_reader *bytes)
{
    struct pprof_mapping mapping = {0};
    const struct protobuf_wanted wanted[] = {{MAPPING_ID, &mapping.id},
                                             {MAPPING_START, &mapping.start},
                                             {MAPPING_OFFSET, &mapping.offset},
                                             {MAPPING_FILE, &mapping.file}};
    protobuf__read_numbers(*bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
    int err = GROW(tables->mappings, tables->mapping_capacity, tables->mapping_count + 1);
    if (!err)
        tables->mappings[tables->mapping_count++] = mapping;
    return err;
}

static void read_type(struct byte_reader bytes, struct pprof_type *ret_type)
{
    const struct protobuf_wanted wanted[] = {{VALUE_TYPE, &ret_type->type}, {VALUE_UNIT, &ret_type->unit}};
    protobuf__read_numbers(bytes, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static int add_type(struct pprof_tables *tables, const struct byte_reader *bytes)
{
    if (tables->type_count == PPROF_TYPES_MAX)
        return -EBADMSG;
    read_type(*bytes, &tables->types[tables->type_count++]);
    return 0;
}

static int take_field(struct pprof_tables *tables, const struct protobuf_field *field)
{
    switch (field->number) {
    case PROFILE_SAMPLE_TYPE:
        return add_type(tables, &field->bytes);
    case PROFILE_MAPPING:
        return add_mapping(tables, &field->bytes);
    case PROFILE_FUNCTION:
        return add_function(tables, &field->bytes);
    case PROFILE_STRING:
        return add_string(tables, &field->bytes);
    case PROFILE_TIME_NS:
        tables->time_ns = field->value;
        return 0;
    case PROFILE_DURATION_NS:
        tables->duration_ns = field->value;
        return 0;
    case PROFILE_PERIOD_TYPE:
        read_type(field->bytes, &tables->period_type);
        return 0;
    case PROFILE_PERIOD:
        tables->period = field->value;
        return 0;
    }
    return 0;
}

int pprof_tables__read(struct pprof_tables *tables, struct byte_reader profile)
{
    struct protobuf_field field;
    int err = 0;
    while (!err && protobuf__next(&profile, &field))
        err = take_field(tables, &field);
    if (err || profile.failed || !tables->type_count)
        return err ? err : -EBADMSG;
    if (tables->function_count)
        qsort(tables->functions, tables->function_count, sizeof(*tables->functions), pprof_tables__by_id);
    for (size_t i = 0; i < tables->mapping_count; i++)
        tables->mappings[i].is_kernel =
            strncmp(pprof_tables__text(tables, tables->mappings[i].file), "[kernel", 7) == 0;
    return 0;
}

const struct pprof_mapping *pprof_tables__mapping(const struct pprof_tables *tables, uint64_t id)
{
    for (size_t i = 0; i < tables->mapping_count; i++) // there are few
        if (tables->mappings[i].id == id)
            return &tables->mappings[i];
    return NULL;
}

void pprof_tables__read_line(const struct pprof_tables *tables, struct byte_reader message, struct store_line *ret_line)
{
    uint64_t function_id = 0, line = 0;
    const struct protobuf_wanted wanted[] = {{LINE_FUNCTION, &function_id}, {LINE_LINE, &line}};
    protobuf__read_numbers(message, wanted, sizeof(wanted) / sizeof(wanted[0]));
    const struct pprof_function *function = PPROF_FIND(tables->functions, tables->function_count, function_id);
    *ret_line = (struct store_line){.function = function ? pprof_tables__text(tables, function->name) : "",
                                    .file = function ? pprof_tables__text(tables, function->file) : "",
                                    .line = line <= INT32_MAX ? (uint32_t)line : 0};
}
